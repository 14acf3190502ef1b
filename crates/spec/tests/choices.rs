//! What is refused in `[desktop]`, `[installer]`, `[security]`, `[ai]`, accounts and slides, and
//! what follows from them.

use isosmith_spec::model::{DisplayManager, Environment, Luks, MenuEntry, SessionKind};
use isosmith_spec::{BuildSpec, Layer, Origin, load};

const START: &str = "format = 1\n[profile]\nname = \"t\"\n";

fn loaded(fragment: &str) -> Result<BuildSpec, Vec<String>> {
    let layer = Layer::new(
        Origin::Profile("t".into()),
        "",
        format!("{START}{fragment}"),
    );
    match load(vec![layer], &|_| None) {
        Ok((spec, _)) => Ok(spec),
        Err(problems) => Err(problems
            .iter()
            .map(|problem| format!("{}: {} ({})", problem.path, problem.message, problem.fix))
            .collect()),
    }
}

/// Each row: what is written, and the beginning of its only problem and words of its advice;
/// nothing for what is fine.
fn check(rows: &[(&str, &str, &str)]) {
    let complaints: Vec<String> = rows
        .iter()
        .filter_map(|(fragment, problem, fix)| {
            let found = loaded(fragment).err().unwrap_or_default();
            let right = match (found.as_slice(), problem.is_empty()) {
                ([], true) => true,
                ([one], false) => one.starts_with(problem) && one.contains(fix),
                _ => false,
            };
            (!right).then(|| format!("{fragment}\nwants {problem} ({fix})\nhas {found:#?}\n"))
        })
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
#[rustfmt::skip] // one row, one line
fn desktops() {
    check(&[
        ("[desktop]\nenvironment = 'none'", "", ""),
        ("[desktop]\nenvironment = 'lxqt'", "", ""),
        ("[desktop]\nenvironment = 'kde'\nsession = 'x11'\ndisplay_manager = 'lightdm'", "", ""),
        ("[desktop]\nenvironment = 'gnom'", "desktop.environment: unknown desktop `gnom`; did you mean `gnome`?", "`none`, `kde`"),
        ("[desktop]\nenvironment = 'gnom'\nsession = 'wayland'\ndisplay_manager = 'gdm'", "desktop.environment: unknown desktop", "`kiosk`"),
        ("[desktop]\nenvironment = 'kde'\nsize = 'huge'", "desktop.size: unknown size of a desktop `huge`", "`full`"),
        ("[desktop]\nenvironment = 'kde'\ndisplay_manager = 'gdm3'", "desktop.display_manager: unknown display manager `gdm3`; did you mean `gdm`?", "`sddm`"),
        ("[desktop]\nenvironment = 'kde'\ndisplay_manager = 'none'", "desktop.display_manager: without a login screen", "remove `display_manager`"),
        ("[desktop]\ndisplay_manager = 'gdm'", "desktop.display_manager: the login screen of gdm has no desktop", "choose a desktop"),
        ("[desktop]\nenvironment = 'kiosk'\nkiosk_page = 'https://a.example'\ndisplay_manager = 'sddm'", "desktop.display_manager: a kiosk starts by itself", "remove"),
        ("[desktop]\nenvironment = 'kde'\nsession = 'mir'", "desktop.session: unknown kind of session `mir`", "`wayland`, `x11`"),
        ("[desktop]\nenvironment = 'xfce'\nsession = 'wayland'", "desktop.session: the desktop xfce has no Wayland session", "x11"),
        ("[desktop]\nsession = 'wayland'", "desktop.session: a system without a desktop has no Wayland", "remove"),
        ("[desktop]\nenvironment = 'kiosk'", "desktop.kiosk_page: a kiosk shows one page", "kiosk_page = "),
        ("[desktop]\nenvironment = 'kiosk'\nkiosk_page = 'https://a.example/b?c=d'", "", ""),
        ("[desktop]\nenvironment = 'kiosk'\nkiosk_page = 'file:///srv/page/index.html'\nsession = 'x11'", "", ""),
        ("[desktop]\nenvironment = 'kiosk'\nkiosk_page = 'a.example'", "desktop.kiosk_page: `a.example` is not a full address", "https://"),
        ("[desktop]\nenvironment = 'kde'\nkiosk_page = 'https://a.example'", "desktop.kiosk_page: only a kiosk", "environment = \"kiosk\""),
        ("[desktop.applications]\nbrowser = 'firefox-esr.desktop'", "", ""),
        ("[desktop.applications]\nbrowser = 'firefox'", "desktop.applications.browser: `firefox` is not a desktop file", "`firefox.desktop`"),
        ("[desktop.applications]\nfiles = '/usr/share/applications/a.desktop'", "desktop.applications.files: `/usr/share/applications/a.desktop` holds a folder", "only the file's name"),
        ("[desktop.applications]\ngame = 'a.desktop'", "desktop.applications.game: unknown field", "known here are `browser`"),
    ]);
}

#[test]
#[rustfmt::skip] // one row, one line
fn installers() {
    check(&[
        ("[desktop]\nenvironment = 'xfce'\n[installer]\ncalamares = true", "", ""),
        ("[installer]\ncalamares = true\nonly = true", "", ""),
        ("[installer]\ndebian = true", "", ""),
        ("[installer]\ncalamares = true", "installer.calamares: Calamares is a graphical program", "only = true"),
        ("[desktop]\nenvironment = 'kiosk'\nkiosk_page = 'https://a.example'\n[installer]\ncalamares = true", "installer.calamares: Calamares is a graphical program", "choose a desktop"),
        ("[installer]\nonly = true", "installer.only: a medium that only installs", "calamares = true"),
        ("[installer]\npages = ['summary', 'partition', 'users']", "", ""),
        ("[installer]\npages = ['welcome', 'users', 'summary']", "installer.pages: the installer cannot do without its page `partition`", "add"),
        ("[installer]\npages = ['partition', 'users', 'summary', 'users']", "installer.pages[3]: `users` is written twice", "remove"),
        ("[installer]\npages = ['partition', 'users', 'summary', 'license']", "installer.pages[3]: unknown page of the installer `license`", "`welcome`"),
        ("[installer]\nfilesystem = 'ext3'", "installer.filesystem: unknown filesystem `ext3`; did you mean `ext4`?", "`btrfs`"),
        ("[installer]\nswap = 'big'", "installer.swap: unknown kind of swap", "`suspend`"),
        ("[installer]\nencryption = true", "installer.encryption: expected a word, found `true`", "preselected"),
        ("[installer]\nluks = 'luks3'", "installer.luks: unknown version of LUKS", "`luks2`"),
        ("[installer]\nremove = ['gparted', 'live-boot']", "", ""),
        ("[installer]\nremove = ['linux-image-amd64']", "installer.remove[0]: the installed system could not start without `linux-image-amd64`", "remove it"),
        ("[installer]\nremove = ['gparted', 'grub-common']", "installer.remove[1]: the installed system could not start", "remove it"),
        ("[installer]\nremove = ['systemd']", "installer.remove[0]: the installed system could not start", "remove it"),
        ("[installer]\nremove = ['gparted-']", "installer.remove[0]: `gparted-` ends in `-`", "without `-`"),
        ("[boot]\nentries = ['live', 'install']", "boot.entries[1]: there is no installer to open", "calamares = true"),
        ("[boot]\nentries = ['live', 'debian-installer']", "boot.entries[1]: Debian's installer is not on the medium", "debian = true"),
        ("[installer]\ndebian = true\n[boot]\nentries = ['live']", "boot.entries: Debian's installer is on the medium, but", "\"debian-installer\""),
        ("[installer]\ncalamares = true\nonly = true\n[boot]\nentries = ['install', 'live']", "boot.entries[1]: the medium only installs", "remove it"),
        ("[installer]\ncalamares = true\nonly = true\n[boot]\nentries = ['local-disk']", "boot.entries: the medium only installs", "\"install\""),
        ("[desktop]\nenvironment = 'xfce'\n[installer]\ncalamares = true\n[boot]\nentries = ['live']", "", ""),
    ]);
}

#[test]
#[rustfmt::skip] // one row, one line
fn installers_of_suites() {
    check(&[
        ("[base]\nsuite = 'bookworm'\n[installer]\ndebian = true\n", "", ""),
        ("[base]\nsuite = 'forky'\n[installer]\ndebian = true\n", "installer.debian: the signed installer", "choose trixie or bookworm"),
        ("[base]\nsuite = 'sid'\n[installer]\ndebian = true\n", "installer.debian: the signed installer", "choose trixie or bookworm"),
        ("[installer]\ndebian = true\nswap = 'file'", "installer.swap: Debian's installer makes no file", "small"),
        ("[installer]\ndebian = true\nswap = 'suspend'\nencryption = 'preselected'\nfilesystem = 'btrfs'", "", ""),
        ("[installer]\ndebian = true\nluks = 'luks1'", "installer.luks: Debian's installer encrypts with LUKS2", "luks2"),
        ("[base]\nsuite = 'bookworm'\n[installer]\ndebian = true\nluks = 'luks1'", "installer.luks: Debian's installer encrypts", "luks2"),
        ("[desktop]\nenvironment = 'xfce'\n[base]\nsuite = 'bookworm'\n[installer]\ncalamares = true\n", "", ""),
        ("[desktop]\nenvironment = 'xfce'\n[base]\nsuite = 'bookworm'\n[installer]\ncalamares = true\ndebian = true", "", ""),
        ("[desktop]\nenvironment = 'xfce'\n[base]\nsuite = 'bookworm'\n[installer]\ncalamares = true\nluks = 'luks1'\nencryption = 'hidden'", "", ""),
        ("[desktop]\nenvironment = 'xfce'\n[base]\nsuite = 'bookworm'\n[installer]\ncalamares = true\nluks = 'luks2'", "installer.luks: Calamares of bookworm knows LUKS1 only", "luks1"),
        ("[desktop]\nenvironment = 'xfce'\n[base]\nsuite = 'bookworm'\n[installer]\ncalamares = true\nfilesystem = 'xfs'", "installer.filesystem: GRUB does not read XFS", "ext4"),
        ("[desktop]\nenvironment = 'xfce'\n[installer]\ncalamares = true\n[users]\nlive = false", "installer.calamares: nobody in the live system may start", "sudo = true"),
        ("[desktop]\nenvironment = 'xfce'\n[installer]\ncalamares = true\n[users]\nlive = false\n[[users.accounts]]\nname = 'ada'\nsudo = true", "", ""),
        ("[installer]\ndebian = true\n[base]\nkey = 'own.asc'", "installer.debian: an archive with a key of its own", "debian = false"),
        ("[installer]\ndebian = true\n[[software.debconf]]\npackage = 'd-i'\nquestion = 'partman/confirm'\nkind = 'boolean'\nvalue = 'true'", "", ""),
        ("[[software.debconf]]\npackage = 'd-i'\nquestion = 'partman/confirm'\nkind = 'boolean'\nvalue = 'true'", "software.debconf[0].package: Debian's installer, which asks this", "debian = true"),
        ("[desktop]\nenvironment = 'xfce'\n[base]\nsuite = 'bookworm'\n[installer]\ncalamares = true\nencryption = 'preselected'", "installer.encryption: Calamares of bookworm cannot choose", "offered"),
        ("[desktop]\nenvironment = 'xfce'\n[base]\nsuite = 'forky'\n[installer]\ncalamares = true\nluks = 'luks2'\nencryption = 'preselected'", "", ""),
    ]);
    let luks = |fragment: &str| loaded(fragment).expect(fragment).installer.luks;
    let calamares = "[installer]\ncalamares = true\nonly = true\n";
    for (fragment, version) in [
        (String::new(), Luks::Luks2),
        ("[base]\nsuite = 'bookworm'\n".to_owned(), Luks::Luks2),
        (calamares.to_owned(), Luks::Luks2),
        (format!("[base]\nsuite = 'bookworm'\n{calamares}"), Luks::Luks1),
    ] {
        assert_eq!(luks(&fragment), version, "{fragment}");
    }
}

#[test]
#[rustfmt::skip] // one row, one line
fn security_and_ai() {
    check(&[
        ("[security]\nfirewall = 'nftables'\nopen_ports = ['22/tcp', '53/udp', '53/tcp']", "", ""),
        ("[security]\nfirewall = 'iptables'", "security.firewall: unknown firewall `iptables`; did you mean `nftables`?", "`ufw`"),
        ("[security]\nopen_ports = ['22/tcp']", "security.open_ports: ports are named, but there is no firewall", "nftables"),
        ("[security]\nfirewall = 'ufw'\nopen_ports = ['22']", "security.open_ports[0]: `22` does not say whether TCP or UDP", "`22/tcp` or `22/udp`"),
        ("[security]\nfirewall = 'ufw'\nopen_ports = ['ssh']", "security.open_ports[0]: `ssh` does not say", "NUMBER/tcp"),
        ("[security]\nfirewall = 'ufw'\nopen_ports = ['0/tcp']", "security.open_ports[0]: `0` is not the number of a port", "65535"),
        ("[security]\nfirewall = 'ufw'\nopen_ports = ['22/tpc']", "security.open_ports[0]: `tpc` is neither", "`22/tcp`"),
        ("[security]\nfirewall = 'ufw'\nopen_ports = ['22/tcp', '22/tcp']", "security.open_ports[1]: `22/tcp` is written twice", "remove"),
        ("[security]\nfirewall = 'ufw'\nopen_ports = [22]", "security.open_ports[0]: expected a text", "open_ports = "),
        ("[security]\nautomatic_updates = true", "", ""),
        ("[base]\nsecurity = false\n[security]\nautomatic_updates = true", "security.automatic_updates: there is no security pocket that updates could come from", "auto"),
        ("[base]\nsuite = 'forky'\n[desktop]\nenvironment = 'gnome'\nsession = 'x11'", "desktop.session: GNOME of forky has no session for X11", "wayland"),
        ("[desktop]\nenvironment = 'gnome'\nsession = 'x11'", "", ""),
        ("[security]\nfail2ban = true", "security.fail2ban: fail2ban would watch over SSH, and there is no SSH server", "openssh-server"),
        ("[software]\npackages = ['openssh-server']\n[security]\nfail2ban = true", "", ""),
        ("[software]\npackages = ['task-ssh-server']\n[security]\nfail2ban = true", "", ""),
        ("[security]\nhardening = 'yes'", "security.hardening: expected `true` or `false`", "hardening = true"),
        ("[security.ssh]\npassword = true", "", ""),
        ("[security]\nssh = true", "security.ssh: expected `false` or a table", "password = false"),
        ("[security.signing]\nkey = 'a.key'\ncertificate = 'a.pem'", "", ""),
        ("[security.signing]\nkey = 'a.key'", "security.signing.certificate: `certificate` is missing", "certificate = "),
        ("[security.signing]\nkey = '../a.key'\ncertificate = 'a.pem'", "security.signing.key: `../a.key` leaves", "beside"),
        ("[boot]\nsecure_boot = false\n[security.signing]\nkey = 'a.key'\ncertificate = 'a.pem'", "security.signing: a key of your own", "secure_boot = true"),
        ("[boot]\nuefi = false\n[security.signing]\nkey = 'a.key'\ncertificate = 'a.pem'", "security.signing: a key of your own", "secure_boot = true"),
        ("[security.signing]\nkey = 'a.pem'\ncertificate = './a.pem'", "security.signing.certificate: key and certificate are the same", "of their own"),
        ("[security.signing]\nkey = 'etc/a.key'\ncertificate = 'a.pem'\n[[files]]\nsource = 'etc'\ntarget = '/etc'", "security.signing.key: `files` would copy", "is not copied"),
        ("[security.signing]\nkey = 'a.key'\ncertificate = 'a.pem'\n[[scripts]]\npoint = 'first-boot'\nsource = './a.key'", "security.signing.key: scripts[0].source is the same file", "of their own"),
        ("[security.signing]\nkey = 'etc.key'\ncertificate = 'a.pem'\n[[files]]\nsource = 'etc'\ntarget = '/etc'", "", ""),
        ("[ai]\ninterface = 'ollama'\nendpoint = 'http://127.0.0.1:11434'\nmodel = 'llama3.2:3b'", "", ""),
        ("ai = false", "profile.ai: unknown field", ""),
        ("[ai]\ninterface = 'ollama'\nendpoint = 'http://127.0.0.1:11434'", "ai.model: `model` is missing", "model = "),
        ("[ai]\ninterface = 'gemini'\nendpoint = 'http://a'\nmodel = 'a'", "ai.interface: unknown model interface `gemini`", "`openai`"),
        ("[ai]\ninterface = 'openai'\nendpoint = 'file:///etc'\nmodel = 'a'", "ai.endpoint: `file:///etc` is a file", "https://"),
        ("[ai]\ninterface = 'openai'\nendpoint = 'https://me:key@a.example'\nmodel = 'a'", "ai.endpoint: the address holds a user name or password", "remove"),
        ("[ai]\ninterface = 'openai'\nendpoint = 'https://a.example'\nmodel = 'a b'", "ai.model: the model name `a b` holds a space", "use only"),
        ("[ai]\ninterface = 'openai'\nendpoint = 'https://a.example'\nmodel = ''", "ai.model: the model name is empty", ""),
    ]);
}

#[test]
#[rustfmt::skip] // one row, one line
fn accounts_and_pictures() {
    check(&[
        ("[[users.accounts]]\nname = 'kim'\n[[users.accounts]]\nname = 'sam'\nreset = true\nsudo = true", "", ""),
        ("[[users.accounts]]\nfull_name = 'Kim'", "users.accounts[0].name: `name` is missing", "name = "),
        ("[[users.accounts]]\nname = 'Kim'", "users.accounts[0].name: a user name has no capital letters", "`kim`"),
        ("[[users.accounts]]\nname = 'sddm'", "users.accounts[0].name: `sddm` is an account or group of the system", "another"),
        ("[[users.accounts]]\nname = 'user'", "users.accounts[0].name: `user` is already the live user", "another"),
        ("[users]\nlive = false\naccounts = [{ name = 'user' }]", "", ""),
        ("[users]\naccounts = [{ name = 'kim' }, { name = 'kim' }]", "users.accounts[1].name: `kim` is written twice", "remove"),
        ("[users]\naccounts = [{ name = 'kim', password = 'secret' }]", "users.accounts[0].password: a password in plain text", "mkpasswd"),
        ("[users]\naccounts = [{ name = 'kim', full_name = 'a:b' }]", "users.accounts[0].full_name: the full name `a:b` holds `:`", "characters"),
        ("[users]\naccounts = [{ name = 'kim', groups = ['a', 'a'] }]", "users.accounts[0].groups[1]: `a` is written twice", "remove"),
        ("[users]\naccounts = [{ name = 'kim', sudo = 'none' }]", "users.accounts[0].sudo: expected `true` or `false`", "sudo = true"),
        ("[branding]\nwallpaper_dark = 'a.gif'", "branding.wallpaper_dark: `a.gif` is not a picture", ".webp"),
        ("[[branding.slides]]\ntitle = 'A'\ntext = \"b \\\"c\\\"\\nd\"\npicture = 'a.jpg'", "", ""),
        ("[[branding.slides]]\ntitle = 'A'", "branding.slides[0].text: `text` is missing", "text = "),
        ("[[branding.slides]]\ntitle = ''\ntext = 'b'", "branding.slides[0].title: the title is empty", "write the title"),
        ("[[branding.slides]]\ntitle = \"A\\nB\"\ntext = 'b'", "branding.slides[0].title: `A\\u{a}B` holds the invisible", "remove"),
        ("[[branding.slides]]\ntitle = 'A'\ntext = \"a\\u202eb\"", "branding.slides[0].text: ", "remove the character"),
        ("[[branding.slides]]\ntitle = 'A'\ntext = 'b'\npicture = 'a.bmp'", "branding.slides[0].picture: `a.bmp` is not a picture", ".svg"),
    ]);
    let slide = "[[branding.slides]]\ntitle = 'A'\ntext = 'b'\n";
    check(&[
        (slide.repeat(5).as_str(), "", ""),
        (slide.repeat(6).as_str(), "branding.slides[5]: the installer shows at most 5 slides", "remove"),
        (format!("{slide}[[branding.slides]]\ntitle = '{}'\ntext = 'b'", "x".repeat(81)).as_str(), "branding.slides[1].title: the title is 81 characters long", "80"),
        (format!("[[branding.slides]]\ntitle = 'A'\ntext = '{}'", "x".repeat(601)).as_str(), "branding.slides[0].text: the text is 601 characters long", "600"),
    ]);
}

/// A child takes away what its parent has.
#[test]
fn tables_can_be_switched_off() {
    let parent = "format = 1\n[profile]\nname = 'parent'\n[security.ssh]\nroot = true\n[ai]\n\
        interface = 'ollama'\nendpoint = 'http://127.0.0.1:11434'\nmodel = 'm'\n";
    let child = "format = 1\nextends = 'parent'\nai = false\n[profile]\nname = 'child'\n\
        [security]\nssh = false\n";
    let layer = |name: &str, text: &str| Layer::new(Origin::Profile(name.into()), "", text);
    let finder = |name: &str| Some(layer(name, parent));
    let (with, _) = load(vec![layer("parent", parent)], &finder).expect("the parent");
    assert!(with.assistant.is_some() && with.security.ssh.is_some_and(|ssh| ssh.root));
    let (without, merged) = load(vec![layer("child", child)], &finder).expect("the child");
    assert_eq!((without.assistant, without.security.ssh), (None, None));
    let explained = merged.explain();
    assert!(explained.iter().any(|(path, value, origin)| {
        path == "ai" && value == "false" && *origin == Origin::Profile("child".into())
    }));
    assert!(!explained.iter().any(|(path, _, _)| path.starts_with("ai.")));
}

#[test]
fn a_desktop_brings_its_login_screen_and_session() {
    use DisplayManager::{Gdm, Lightdm, None as Nobody, Sddm};
    use SessionKind::{Wayland, X11};
    for (environment, manager, session) in [
        (None, Nobody, X11),
        (Some(Environment::Kde), Sddm, Wayland),
        (Some(Environment::Gnome), Gdm, Wayland),
        (Some(Environment::Xfce), Lightdm, X11),
        (Some(Environment::Lxqt), Sddm, X11),
        (Some(Environment::Cinnamon), Lightdm, X11),
        (Some(Environment::Mate), Lightdm, X11),
        (Some(Environment::Kiosk), Nobody, Wayland),
    ] {
        let word = environment.map_or("none", Environment::as_str);
        let page = match environment {
            Some(Environment::Kiosk) => "kiosk_page = 'https://a.example'",
            _ => "",
        };
        let spec = loaded(&format!("[desktop]\nenvironment = '{word}'\n{page}")).expect(word);
        let desktop = spec.desktop;
        assert_eq!(
            (
                desktop.environment,
                desktop.display_manager,
                desktop.session
            ),
            (environment, manager, session),
            "{word}"
        );
    }
}

#[test]
fn installers_come_into_a_menu_that_is_not_written() {
    use MenuEntry::{
        DebianInstaller, Install, Live, LiveToRam, LocalDisk, SafeGraphics, VerifyMedium,
    };
    const DESKTOP: &str = "[desktop]\nenvironment = 'kde'\n";
    for (installer, menu) in [
        (
            "",
            vec![Live, LiveToRam, SafeGraphics, VerifyMedium, LocalDisk],
        ),
        (
            "calamares = true",
            vec![
                Live,
                LiveToRam,
                SafeGraphics,
                Install,
                VerifyMedium,
                LocalDisk,
            ],
        ),
        (
            "debian = true",
            vec![
                Live,
                LiveToRam,
                SafeGraphics,
                DebianInstaller,
                VerifyMedium,
                LocalDisk,
            ],
        ),
        (
            "calamares = true\ndebian = true",
            vec![
                Live,
                LiveToRam,
                SafeGraphics,
                Install,
                DebianInstaller,
                VerifyMedium,
                LocalDisk,
            ],
        ),
        (
            "calamares = true\ndebian = true\nonly = true",
            vec![Install, DebianInstaller, VerifyMedium, LocalDisk],
        ),
    ] {
        let spec = loaded(&format!("{DESKTOP}[installer]\n{installer}")).expect(installer);
        assert_eq!(spec.boot.entries, menu, "{installer}");
    }
    let written = format!("{DESKTOP}[installer]\ncalamares = true\n[boot]\nentries = ['live']");
    assert_eq!(loaded(&written).expect("a spec").boot.entries, [Live]);
}

#[test]
fn every_login_is_found() {
    let spec =
        loaded("[users]\naccounts = [{ name = 'kim', password = 'prompt' }]").expect("a spec");
    let logins: Vec<_> = spec.users.logins().collect();
    assert_eq!(logins.len(), 3);
    assert_eq!(*logins[2], isosmith_spec::model::Login::Prompt);
}
