//! What is refused, where, why, and with which advice.

use isosmith_spec::{Layer, Origin, Problem, load};

const START: &str = "format = 1\n[profile]\nname = \"t\"\n";

fn problems(text: &str) -> Vec<Problem> {
    let layer = Layer::new(Origin::Profile("t".into()), "", text);
    load(vec![layer], &|_| None).err().unwrap_or_default()
}

/// Why `text` does not have exactly one problem: at `path`, saying `message`, advising `fix`.
fn complaint(text: &str, path: &str, message: &str, fix: &str) -> Option<String> {
    let found = problems(text);
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    let start = text.get(..300).unwrap_or(text);
    let as_it_should = match found.as_slice() {
        [problem] => {
            problem.path == path
                && problem.message.contains(message)
                && problem.fix.contains(fix)
                && !problem.message.contains(char::is_control)
                && problem.origin == Some(Origin::Profile("t".into()))
        }
        _ => false,
    };
    (!as_it_should).then(|| format!("{start}\nwants {path}: {message} ({fix})\nhas {shown:#?}\n"))
}

fn check(text: &str, path: &str, message: &str, fix: &str) {
    if let Some(complaint) = complaint(text, path, message, fix) {
        panic!("{complaint}");
    }
}

/// Checks all rows before it fails, so that one run shows every changed message.
fn check_all(rows: &[(&str, &str, &str, &str)]) {
    let complaints: Vec<String> = rows
        .iter()
        .filter_map(|(fragment, path, message, fix)| {
            complaint(&format!("{START}{fragment}"), path, message, fix)
        })
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
#[rustfmt::skip] // one row, one line
fn whole_texts() {
    for (text, path, message, fix) in [
        ("[profile]\nname = 't'", "format", "no `format`", "format = 1"),
        ("format = 2\n[profile]\nname = 't'", "format", "format 2 is not known", "format = 1"),
        ("format = '1'\n[profile]\nname = 't'", "format", "expected a number, found the text `1`", "`format = 1`"),
        ("format = 1", "profile.name", "no `profile.name`", "[profile]"),
        ("format = 1\nprofile = 3", "profile", "expected a table, found the number 3", "[profile]"),
        ("format = 1\n[profile]\nname = 7", "profile.name", "expected a text, found the number 7", "name = "),
        ("format = 1\n[profile]\nname = 't'\nname = 'u'", "", "line 4, column 1 is not TOML", "correct this place"),
        ("format = 1\n[profile\nname = 't'", "", "line 2, column 9", "toml.io"),
        ("format = 1\nfiles = [", "", "line 2", "correct"),
        ("format = 1\nextends = 'nobody'\n[profile]\nname = 't'", "extends", "no profile named `nobody`", "isosmith profiles"),
        ("format = 1\nextends = '../../etc'\n[profile]\nname = 't'", "extends", "holds `.`", "a-z"),
        ("format = 1\nextends = 't'\n[profile]\nname = 't'", "extends", "circle: t → t", "on its own"),
        ("format = 1\nextends = ['a', 'b']\n[profile]\nname = 't'", "extends", "found a list", "extends = \"minimal\""),
    ] {
        check(text, path, message, fix);
    }
}

#[test]
#[rustfmt::skip] // one row, one line
fn limits() {
    let long = "x".repeat(5000);
    let many = vec!["'ab'"; 10_001].join(",");
    for (fragment, path, message, fix) in [
        (format!("description = '{long}'"), "profile.description", "5000 characters long", "shorten"),
        (format!("[software]\npackages = [{many}]"), "software.packages", "10001 entries", "shorten"),
        (format!("[branding]\nmotd = '{}'", "x".repeat(17_000)), "branding.motd", "17000 characters", "16384"),
        (format!("# {}", "x".repeat(1 << 20)), "", "1 MiB", "beside the profile"),
        (format!("[branding]\nname = '{}'", "x".repeat(65)), "branding.name", "the most is 64", "shorten"),
        (format!("[region]\nhostname = '{}'", "x".repeat(64)), "region.hostname", "the most is 63", "shorten"),
    ] {
        check(&format!("{START}{fragment}"), path, message, fix);
    }
    let nested = format!("{START}a = {}{}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(problems(&nested).len(), 1);
}

#[test]
#[rustfmt::skip] // one row, one line
fn unknown_fields() {
    check_all(&[
        ("[base]\nsiute = 'trixie'", "base.siute", "unknown field `base.siute`; did you mean `suite`?", "`suite`"),
        ("[bas]\nsuite = 'trixie'", "bas", "did you mean `base`?", "`base`"),
        ("[base]\nhostname = 'x'", "base.hostname", "did you mean `region.hostname`?", "move it"),
        ("[users.live]\nshell = '/bin/sh'", "users.live.shell", "unknown field `users.live.shell`", "known here are `name`"),
        ("[boot.serial]\nport = 1", "boot.serial.port", "unknown field", "`unit`, `speed`"),
        ("[[files]]\nsource = 'a'\ntarget = '/etc/a'\nmod = '0644'", "files[0].mod", "did you mean `mode`?", "`mode`"),
        ("[base]\n\"a\\u202eb\" = 1", "base.a\\u{202e}b", "unknown field", "remove it"),
        ("[[base.repositories]]\nname = 'x'\nuri = 'https://a.example'\nsuite = './'\nkey = 'k'\ntrusted = true", "base.repositories[0].trusted", "signature checks", "public key"),
        ("[[base.repositories]]\nname = 'x'\nuri = 'https://a.example'\nsuite = './'\nkey = 'k'\n\"Allow-Insecure\" = 'yes'", "base.repositories[0].Allow-Insecure", "signature checks", "remove it"),
    ]);
}

#[test]
#[rustfmt::skip] // one row, one line
fn base() {
    check_all(&[
        ("[base]\nsuite = 'trixy'", "base.suite", "unknown suite `trixy`; did you mean `trixie`?", "`bookworm`"),
        ("[base]\nsuite = true", "base.suite", "expected a word, found `true`", "suite = \"trixie\""),
        ("[base]\narchitecture = 'arm64'", "base.architecture", "unknown architecture", "`amd64`"),
        ("[base]\ncomponents = ['contrib']", "base.components", "`main` is missing", "add"),
        ("[base]\ncomponents = ['main', 'nonfree']", "base.components[1]", "did you mean `non-free`?", "one of"),
        ("[base]\ncomponents = ['main', 'main']", "base.components[1]", "written twice", "remove"),
        ("[base]\nmirrors = []", "base.mirrors", "empty", "auto"),
        ("[base]\nmirrors = 'auto'", "base.mirrors", "expected a list", "mirrors = ["),
        ("[base]\nmirrors = ['ftp://a.example/debian']", "base.mirrors[0]", "kind `ftp`", "https://"),
        ("[base]\nmirrors = ['https://me:secret@a.example/']", "base.mirrors[0]", "password", "remove everything"),
        ("[base]\nmirrors = ['https://a.example/ [trusted=yes]']", "base.mirrors[0]", "a space", "use only"),
        ("[base]\nmirrors = ['https://a.example/[trusted=yes]']", "base.mirrors[0]", "holds `[`", "use only"),
        ("[base]\nmirrors = ['https://a.example/\\']", "base.mirrors[0]", "holds `\\`", "use only"),
        ("[base]\nmirrors = [\"https://a.example/\\ndeb\"]", "base.mirrors[0]", "invisible character U+000A", "remove"),
        ("[base]\nmirrors = ['https://a.example/%0Adeb']", "base.mirrors[0]", "wrong `%` escape", "%2B"),
        ("[base]\nmirrors = ['https://a.example/a/../b']", "base.mirrors[0]", "`..`", "detours"),
        ("[base]\nmirrors = ['https:///debian']", "base.mirrors[0]", "host name", "https://"),
        ("[base]\nmirrors = ['https://a.example:99999/']", "base.mirrors[0]", "wrong port", "65535"),
        ("[base]\nmirrors = ['file://host/srv']", "base.mirrors[0]", "file of this machine", "file:///"),
        ("[base]\nmirrors = ['-oDir::Etc=x']", "base.mirrors[0]", "read as an option", "without"),
        ("[base]\nsecurity = 3", "base.security", "expected `true` or `false` or", "security = "),
        ("[base]\nupdates = 'yes'", "base.updates", "expected `true` or `false`", "updates = false"),
        ("[base]\nproxy = 'file:///etc'", "base.proxy", "file of the machine", "https://"),
        ("[base]\nsnapshot = '2026-01-31'", "base.snapshot", "not a time", "20260131T000000Z"),
        ("[base]\nsnapshot = '20260231T000000Z'", "base.snapshot", "not a time", "YYYYMMDD"),
        ("[base]\nsnapshot = '19990101T000000Z'", "base.snapshot", "no snapshot is as old", "2005"),
        ("[base]\nsnapshot = '20260131T000000Z'\nmirrors = ['https://a.example/']", "base.mirrors[0]", "today's packages", "remove either"),
        ("[base]\nsnapshot = '20260131T000000Z'\nsecurity = 'https://a.example/'", "base.security", "today's packages", "auto"),
        ("[base]\nsuite = 'sid'\nupdates = true", "base.updates", "no updates pocket", "remove"),
        ("[base]\nsuite = 'sid'\nsecurity = true", "base.security", "no security pocket", "remove"),
        ("[[base.repositories]]\nname = 'x'\nuri = 'https://a.example'\nsuite = 's'\ncomponents = ['main']", "base.repositories[0].key", "no key", "public key"),
        ("[[base.repositories]]\nname = 'x'\nuri = 'https://a.example'\nsuite = 's'\nkey = 'k.asc'", "base.repositories[0].components", "needs components", "components = "),
        ("[[base.repositories]]\nname = 'x'\nuri = 'https://a.example'\nsuite = './'\ncomponents = ['main']\nkey = 'k.asc'", "base.repositories[0].components", "flat repository", "remove"),
        ("[[base.repositories]]\nname = '../x'\nuri = 'https://a.example'\nsuite = './'\nkey = 'k.asc'", "base.repositories[0].name", "holds `.`", "a-z"),
        ("[[base.repositories]]\nname = 'debian'\nuri = 'https://a.example'\nsuite = './'\nkey = 'k.asc'", "base.repositories[0].name", "taken", "another"),
        ("[[base.repositories]]\nname = 'x'\nuri = 'https://a.example'\nsuite = '../'\nkey = 'k.asc'", "base.repositories[0].suite", "`..`", "suite's name"),
        ("[[base.repositories]]\nname = 'x'\nsuite = './'\nkey = 'k.asc'", "base.repositories[0].uri", "`uri` is missing", "uri = "),
        ("[[base.repositories]]\nname = 'x'\nuri = 'https://a.example'\nsuite = './'\nkey = '../k.asc'", "base.repositories[0].key", "leaves the profile's folder", "beside the profile"),
        ("base = { repositories = [{ name = 'x', uri = 'https://a.example', suite = './', key = 'k' }, { name = 'x', uri = 'https://b.example', suite = './', key = 'k' }] }", "profile.base", "unknown field", "remove it"),
        ("[[base.repositories]]\nname = 'x'\nuri = 'https://a.example'\nsuite = './'\nkey = 'k'\n[[base.repositories]]\nname = 'x'\nuri = 'https://b.example'\nsuite = './'\nkey = 'k'", "base.repositories[1].name", "`x` is written twice", "remove"),
    ]);
}

#[test]
#[rustfmt::skip] // one row, one line
fn software_and_kernel() {
    check_all(&[
        ("[software]\npackages = ['-oAPT::Update::Pre-Invoke::=x']", "software.packages[0]", "read as an option", "without the leading"),
        ("[software]\npackages = ['htop', 'nano-']", "software.packages[1]", "tells apt to remove", "software.exclude"),
        ("[software]\npackages = ['libc6:i386']", "software.packages[0]", "architecture", "`libc6`"),
        ("[software]\npackages = ['htop=3.0']", "software.packages[0]", "version", "base.snapshot"),
        ("[software]\npackages = ['htop/sid']", "software.packages[0]", "not a package name", "`htop`"),
        ("[software]\npackages = ['./tool.deb']", "software.packages[0]", "not a package name", "software.debs"),
        ("[software]\npackages = ['standard^']", "software.packages[0]", "task", "task-ssh-server"),
        ("[software]\npackages = ['HTop']", "software.packages[0]", "capital", "`htop`"),
        ("[software]\npackages = ['a b']", "software.packages[0]", "a space", "a-z"),
        ("[software]\npackages = ['x']", "software.packages[0]", "not a package name", "two or more"),
        ("[software]\npackages = ['']", "software.packages[0]", "empty", "leave the line out"),
        ("[software]\npackages = [\"ht\\u200bop\"]", "software.packages[0]", "U+200B", "remove the character"),
        ("[software]\npackages = [5]", "software.packages[0]", "found the number 5", "packages = ["),
        ("[software]\npackages = ['!nano']", "software.packages[0]", "nothing below put `nano` in", "parent"),
        ("[software]\npackages = ['nano']\nexclude = ['nano']", "software.exclude[0]", "both wanted and excluded", "\"!nano\""),
        ("[software]\nexclude = ['live-boot']", "software.exclude[0]", "cannot be built without `live-boot`", "remove"),
        ("[software]\nexclude = ['linux-image-amd64']", "software.exclude[0]", "cannot be built without", "remove"),
        ("[software]\nexclude = ['sudo']", "software.exclude[0]", "live user is to use it", "sudo = \"none\""),
        ("[software]\nexclude = ['locales']", "software.exclude[0]", "region.locales", "C.UTF-8"),
        ("[software]\ndebs = ['tool.rpm']", "software.debs[0]", "not a package file", ".deb"),
        ("[software]\ndebs = ['../../etc/x.deb']", "software.debs[0]", "leaves the profile's folder", "beside"),
        ("[software]\nrecommends = 1", "software.recommends", "expected `true` or `false`", "recommends = true"),
        ("[[software.debconf]]\npackage = 'tzdata'\nquestion = 'areas'\nkind = 'select'\nvalue = 'x'", "software.debconf[0].question", "not a debconf question", "OWNER/NAME"),
        ("[[software.debconf]]\npackage = 'tzdata'\nquestion = 'tzdata/a'\nkind = 'selekt'\nvalue = 'x'", "software.debconf[0].kind", "did you mean `select`?", "one of"),
        ("[[software.debconf]]\npackage = 'tzdata'\nquestion = 'tzdata/a'\nkind = 'string'\nvalue = \"x\\ny z w true\"", "software.debconf[0].value", "U+000A", "remove"),
        ("[[software.debconf]]\npackage = 'tzdata'\nquestion = 'tzdata/a'\nkind = 'boolean'\nvalue = 'yes'", "software.debconf[0].value", "boolean question", "`\"true\"`"),
        ("[kernel]\nflavour = 'rtt'", "kernel.flavour", "did you mean `rt`?", "`cloud`"),
        ("[base]\nsuite = 'sid'\n[kernel]\nflavour = 'backports'", "kernel.flavour", "sid has no backports", "stable"),
        ("[base]\nsuite = 'forky'\n[kernel]\nflavour = 'backports'", "kernel.flavour", "forky has no backports", "stable"),
        ("[kernel]\ncmdline = ['quiet splash']", "kernel.cmdline[0]", "more than one kernel parameter", "entry of its own"),
        ("[kernel]\ncmdline = ['a;reboot']", "kernel.cmdline[0]", "holds `;`", "use only"),
        ("[kernel]\ncmdline = ['a=$x']", "kernel.cmdline[0]", "holds `$`", "use only"),
        ("[kernel]\ncmdline = ['root=/dev/sda1']", "kernel.cmdline[0]", "set by the live system", "remove"),
        ("[kernel]\ncmdline = ['---']", "kernel.cmdline[0]", "read as an option", "without"),
        ("[kernel]\nblacklist = ['nouveau.ko']", "kernel.blacklist[0]", "a file, not a module", "`nouveau`"),
        ("[kernel]\nblacklist = ['../x']", "kernel.blacklist[0]", "holds `.`", "letters"),
        ("[kernel]\nfirmware = ['wifi']", "kernel.firmware[0]", "unknown firmware set", "`wireless`"),
        ("[base]\ncomponents = ['main']\n[kernel]\nfirmware = ['free', 'wireless']", "kernel.firmware[1]", "not in the components", "non-free-firmware"),
    ]);
}

#[test]
#[rustfmt::skip] // one row, one line
fn machine() {
    check_all(&[
        ("[region]\nlocales = ['en_US']", "region.locales[0]", "not in UTF-8", "`en_US.UTF-8`"),
        ("[region]\nlocales = ['english']", "region.locales[0]", "not a locale", "de_DE.UTF-8"),
        ("[region]\nlocales = ['../../etc.UTF-8']", "region.locales[0]", "not a locale", "LANGUAGE_LAND"),
        ("[region]\nlocales = []", "region.locales", "empty", "C.UTF-8"),
        ("[region]\ntimezone = '../etc/passwd'", "region.timezone", "not a time zone", "Area/City"),
        ("[region]\ntimezone = 'Berlin'", "region.timezone", "not a time zone", "Europe/Berlin"),
        ("[region]\nhostname = 'My_Host'", "region.hostname", "lower-case", "`my-host`"),
        ("[region]\nhostname = 'a.example.org'", "region.hostname", "domain", "before the first dot"),
        ("[users.live]\nname = 'input'", "users.live.name", "of the system itself", "another name"),
        ("[users.live]\nname = 'isosmith-kiosk'", "users.live.name", "of the system itself", "another name"),
        ("[boot]\nentries = ['local-disk', 'verify-medium']", "boot.entries", "no line of the menu starts", "`\"live\"`"),
        ("[kernel]\ncmdline = ['nocomponents']", "kernel.cmdline[0]", "set by the live system", "remove it"),
        ("[kernel]\ncmdline = ['live-media-path=/nope']", "kernel.cmdline[0]", "set by the live system", "remove it"),
        ("[[files]]\nsource = 'x'\ntarget = '/bin'", "files[0].target", "is a link", "`/usr/bin`"),
        ("[[files]]\nsource = 'x'\ntarget = '/etc/shadow'", "files[0].target", "is made from `[users]`", "in a script"),
        ("[installer]\nremove = ['perl-base']", "installer.remove[0]", "could not start without", "remove it"),
        ("[ai]\ninterface = 'ollama'\nendpoint = 'http://ai.example.org/v1?api_key=sk'\nmodel = 'm'", "ai.endpoint", "holds a query", "plain address"),
        ("[region]\nhostname = 'a-'", "region.hostname", "ends in `-`", "letter or digit"),
        ("[region.keyboard]\nlayout = ''", "region.keyboard.layout", "empty", "leave the line out"),
        ("[region.keyboard]\nvariant = 'a b'", "region.keyboard.variant", "a space", "use only"),
        ("[users]\nlive = true", "users.live", "expected `false` or a table, found `true`", "live = false"),
        ("[users.live]\nname = 'root'", "users.live.name", "of the system itself", "`user`"),
        ("[users.live]\nname = 'www-data'", "users.live.name", "of the system itself", "another name"),
        ("[users.live]\nname = 'Alex'", "users.live.name", "capital", "`alex`"),
        ("[users.live]\nname = '1st'", "users.live.name", "begins with a digit", "letter"),
        ("[users.live]\nfull_name = 'A:0:0'", "users.live.full_name", "holds `:`", "other than"),
        ("[users.live]\nfull_name = \"A\\u202eB\"", "users.live.full_name", "U+202E", "remove"),
        ("[users.live]\npassword = 'secret'", "users.live.password", "plain text", "mkpasswd -m yescrypt"),
        ("[users.root]\npassword = ''", "users.root.password", "plain text", "prompt"),
        ("[users.root]\npassword = '$1$abcdefgh$irWbblnpmw.5z7wgBnprh0'", "users.root.password", "too weak", "mkpasswd"),
        ("[users.root]\npassword = '$6$abcdefgh$tooshort'", "users.root.password", "damaged", "mkpasswd"),
        ("[users.live]\ngroups = ['video', 'video']", "users.live.groups[1]", "written twice", "remove"),
        ("[users.live]\ngroups = ['a:b']", "users.live.groups[0]", "holds `:`", "a-z"),
        ("[users.live]\nsudo = 'no'", "users.live.sudo", "unknown sudo policy", "`none`"),
        ("[users.live]\nssh_keys = ['AAAA']", "users.live.ssh_keys[0]", "kind of SSH key", ".pub"),
        ("[users.live]\nssh_keys = ['ssh-ed25519 AAAAshort']", "users.live.ssh_keys[0]", "damaged", ".pub"),
        ("[users.live]\nssh_keys = ['-----BEGIN OPENSSH PRIVATE KEY-----']", "users.live.ssh_keys[0]", "private key", ".pub"),
        ("[services]\nenable = ['ssh']", "services.enable[0]", "no unit suffix", "`ssh.service`"),
        ("[services]\nenable = ['--now']", "services.enable[0]", "read as an option", "without"),
        ("[services]\nenable = ['a/b.service']", "services.enable[0]", "holds `/`", "use only"),
        ("[services]\nenable = ['ssh.service']\ndisable = ['ssh.service']", "services.disable[0]", "both switched on and off", "remove"),
        ("[[files]]\nsource = 'a'", "files[0].target", "`target` is missing", "target = "),
        ("[[files]]\nsource = '/a/../b'\ntarget = '/etc/a'", "files[0].source", "`..`", "beside the profile"),
        ("[[files]]\nsource = \"a\\u0000b\"\ntarget = '/etc/a'", "files[0].source", "U+0000", "remove"),
        ("[[files]]\nsource = '~/a'\ntarget = '/etc/a'", "files[0].source", "`~`", "whole path"),
        ("[[files]]\nsource = 'a'\ntarget = 'etc/a'", "files[0].target", "image's root", "`/etc/a`"),
        ("[[files]]\nsource = 'a'\ntarget = '/'", "files[0].target", "laid over", "`/etc`"),
        ("[[files]]\nsource = 'a'\ntarget = '/etc/../proc/x'", "files[0].target", "normalised", "without"),
        ("[[files]]\nsource = 'a'\ntarget = '/proc/sysrq-trigger'", "files[0].target", "only while a machine runs", "another folder"),
        ("[[files]]\nsource = 'a'\ntarget = '/run'", "files[0].target", "only while a machine runs", "tmpfiles.d"),
        ("[[files]]\nsource = 'a'\ntarget = '/etc/a'\nmode = '4755'", "files[0].mode", "not a file mode", "0644"),
        ("[[files]]\nsource = 'a'\ntarget = '/etc/a'\nmode = 644", "files[0].mode", "expected a text", "mode = \"0644\""),
        ("[[files]]\nsource = 'a'\ntarget = '/etc/a'\n[[files]]\nsource = 'b'\ntarget = '/etc/a'", "files[1].target", "written twice", "remove"),
        ("[[scripts]]\nsource = 'a'\npoint = 'afterbase'", "scripts[0].point", "did you mean `after-base`?", "`first-boot`"),
        ("[[scripts]]\nsource = 'a'\npoint = 'first-boot'\nnetwork = true", "scripts[0].network", "first boot", "remove"),
        ("[scripts]\nsource = 'a'", "scripts", "expected a list, found a table", "[[scripts]]"),
        ("[boot]\nbios = 'isolinx'", "boot.bios", "did you mean `isolinux`?", "`grub`"),
        ("[boot]\nbios = 'none'\nuefi = false\nsecure_boot = false", "boot.bios", "no machine could boot", "uefi = true"),
        ("[boot]\nuefi = false\nsecure_boot = true", "boot.secure_boot", "part of UEFI", "secure_boot = false"),
        ("[boot]\nentries = []", "boot.entries", "empty", "live"),
        ("[boot]\nentries = ['live', 'live']", "boot.entries[1]", "written twice", "remove"),
        ("[boot]\nentries = ['live-to-rom']", "boot.entries[0]", "did you mean `live-to-ram`?", "one of"),
        ("[boot]\ntimeout = 0", "boot.timeout", "0 is not between 1 and 3600", "from 1"),
        ("[boot]\ntimeout = 'nevr'", "boot.timeout", "expected a number or `\"never\"`", "timeout = 10"),
        ("[boot]\nserial = { unit = 4 }", "boot.serial.unit", "not between 0 and 3", "from 0"),
        ("[boot]\nserial = { speed = 12345 }", "boot.serial.speed", "not a speed", "115200"),
        ("[boot]\nserial = true", "boot.serial", "expected `false` or a table", "unit = 0"),
        ("[boot]\nparameters = ['boot=casper']", "boot.parameters[0]", "set by the live system", "remove"),
    ]);
}

#[test]
#[rustfmt::skip] // one row, one line
fn identity() {
    check_all(&[
        ("description = \"a\\u2066b\"", "profile.description", "U+2066", "remove"),
        ("[branding]\nname = ''", "branding.name", "empty", "leave the line out"),
        ("[branding]\nname = \"A\\u001b[31m\"", "branding.name", "U+001B", "remove"),
        ("[branding]\nname = \"A\\u202eB\"", "branding.name", "U+202E", "remove"),
        ("[branding]\nname = 'A$(reboot)'", "branding.name", "holds `$`", "punctuation"),
        ("[branding]\nname = 'A\"B'", "branding.name", "holds `\"`", "punctuation"),
        ("[branding]\nshort_name = 'an overlong name that fits nowhere'", "branding.short_name", "the most is 32", "shorten"),
        ("[branding]\nid = 'My OS'", "branding.id", "lower-case", "`my-os`"),
        ("[branding]\nid = '../x'", "branding.id", "holds `/`", "a-z"),
        ("[branding]\nversion = '1.0 Beta'", "branding.version", "lower-case", "`1.0-beta`"),
        ("[branding]\nversion = 1.0", "branding.version", "expected a text, found the number 1", "version = \"1.0\""),
        ("[branding]\ncodename = 'Aurora'", "branding.codename", "lower-case", "`aurora`"),
        ("[branding]\nlogo = 'logo.gif'", "branding.logo", "not a picture of a known kind", ".svg, .png"),
        ("[branding]\nlogo = '../logo.svg'", "branding.logo", "`..`", "beside"),
        ("[branding]\nwallpaper = 'https://a.example/x'", "branding.wallpaper", "not a picture", ".webp"),
        ("[branding]\naccent = 'blue'", "branding.accent", "`blue` is not a colour", "#1b6acb"),
        ("[branding]\ntext = '#12345'", "branding.text", "not a colour", "#rrggbb"),
        ("[branding]\nmotd = \"a\\nb\\u001b[2J\"", "branding.motd", "U+001B", "remove"),
        ("[branding.urls]\nhome = 'javascript:alert(1)'", "branding.urls.home", "not a full address", "https://"),
        ("[branding.urls]\nbugs = 'file:///etc/passwd'", "branding.urls.bugs", "file of the machine", "https://"),
        ("[image]\ncompression = 'zstd:23'", "image.compression", "zstd has no level `23`", "`zstd:22`"),
        ("[image]\ncompression = 'zst'", "image.compression", "did you mean `zstd`?", "`lzo`"),
        ("[image]\ncompression = 'xz:9'", "image.compression", "no level", "`xz`"),
        ("[image]\nlabel = 'A_LABEL_OF_MORE_THAN_32_CHARACTERS'", "image.label", "the most is 32", "shorten"),
        ("[image]\nlabel = 'My Live'", "image.label", "holds `y`", "`MY_LIVE`"),
        ("[image]\nlabel = '-V'", "image.label", "read as an option", "without"),
        ("[image]\nfile_name = '../x.iso'", "image.file_name", "holds a folder", "only the name"),
        ("[image]\nfile_name = '-x.iso'", "image.file_name", "read as an option", "without"),
        ("[image]\nfile_name = 'x.img'", "image.file_name", "does not end in `.iso`", "add"),
        ("[image]\nfile_name = '{id}-{versoin}.iso'", "image.file_name", "did you mean `{version}`?", "{arch}"),
        ("[image]\nfile_name = '{id.iso'", "image.file_name", "never closed", "`{version}`"),
        ("[image]\nfile_name = '{id}-{date}.iso'", "image.file_name", "without a source date", "image.source_date"),
        ("[image]\nfile_name = '.iso'", "image.file_name", "begins with a dot", "a name"),
        ("[image]\nchecksums = ['sha1']", "image.checksums[0]", "unknown checksum `sha1`", "`sha512`"),
        ("[image]\nsource_date = 'yesterday'", "image.source_date", "not a date", "2026-01-31"),
        ("[image]\nsource_date = -5", "image.source_date", "between the years", "2026-01-31"),
        ("[image]\nsource_date = 1.5", "image.source_date", "expected a date", "source_date = "),
    ]);
    check(
        "format = 1\n[profile]\nname = 'My Profile'",
        "profile.name",
        "capital letters",
        "`my-profile`",
    );
}

#[test]
fn all_at_once() {
    let text = "format = 1\n[profile]\nname = 't'\n[base]\nsiute = 'x'\nsuite = 'trixy'\nmirrors = ['ftp://x']\n\
                [software]\npackages = ['A', '-x']\n[region]\nhostname = 3\n[boot]\nuefi = false\nsecure_boot = true\n\
                [image]\nlabel = 'x'\nfile_name = 'x'";
    let mut paths: Vec<String> = problems(text)
        .into_iter()
        .map(|problem| problem.path)
        .collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "base.mirrors[0]",
            "base.siute",
            "base.suite",
            "boot.secure_boot",
            "image.file_name",
            "image.label",
            "region.hostname",
            "software.packages[0]",
            "software.packages[1]",
        ]
    );
}

#[test]
fn plain_passwords_are_not_repeated() {
    let found = problems(&format!("{START}[users.live]\npassword = 'hunter2'"));
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|problem| !problem.to_string().contains("hunter2"))
    );
}

#[test]
fn no_prefix_of_a_profile_panics() {
    let text = include_str!("every_field.toml");
    assert_eq!(problems(text), []);
    for (end, _) in text.char_indices() {
        problems(&text[..end]);
        problems(&format!("{}\u{202e}{}", &text[..end], &text[end..]));
    }
}
