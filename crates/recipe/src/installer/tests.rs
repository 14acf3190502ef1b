//! Each field changes its file, and every file is what its reader takes.

use isosmith_spec::{Layer, Origin};

use super::*;

fn spec(text: &str) -> BuildSpec {
    let text = format!("format = 1\n[profile]\nname = \"demo\"\n{text}");
    let layer = Layer::new(Origin::Profile("demo".into()), "", text);
    isosmith_spec::load(vec![layer], &|_| None)
        .expect("a good profile")
        .0
}

fn image() -> Image {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Image {
        packages: names(&[
            "calamares",
            "live-boot",
            "live-boot-initramfs-tools",
            "livecd",
            "vim",
        ]),
        groups: names(&["audio", "netdev", "sudo", "gamers"]),
    }
}

/// A profile with Calamares and `more` in its installer.
fn with(more: &str) -> BuildSpec {
    spec(&format!(
        "[desktop]\nenvironment = \"xfce\"\n[installer]\ncalamares = true\n{more}"
    ))
}

fn written(spec: &BuildSpec, path: &str) -> String {
    files(spec, &image())
        .into_iter()
        .find(|file| file.path == path)
        .unwrap_or_else(|| panic!("no {path}"))
        .text
}

/// `part` is in the file with `more` and not without.
fn check(more: &str, path: &str, part: &str) {
    let squeezed = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let without = squeezed(written(&with(""), path));
    let found = squeezed(written(&with(more), path));
    assert!(
        !without.contains(part),
        "{part} is in {path} without {more}"
    );
    assert!(
        found.contains(part),
        "{part} is not in {path} with {more}:\n{found}"
    );
}

const PARTITION: &str = "/etc/calamares/modules/partition.conf";
const SETTINGS: &str = "/etc/calamares/settings.conf";

#[test]
fn fields_reach_their_files() {
    check(
        "filesystem = \"btrfs\"",
        PARTITION,
        "\"defaultFileSystemType\": \"btrfs\"",
    );
    check(
        "filesystem = \"xfs\"",
        PARTITION,
        "\"availableFileSystemTypes\": [ \"xfs\" ]",
    );
    for swap in ["none", "suspend", "file"] {
        check(
            &format!("swap = \"{swap}\""),
            PARTITION,
            &format!("\"initialSwapChoice\": \"{swap}\""),
        );
    }
    check(
        "encryption = \"preselected\"",
        PARTITION,
        "\"preCheckEncryption\": true",
    );
    check(
        "encryption = \"hidden\"",
        PARTITION,
        "\"enableLuksAutomatedPartitioning\": false",
    );
    check(
        "luks = \"luks1\"",
        PARTITION,
        "\"luksGeneration\": \"luks1\"",
    );
    check(
        "pages = [\"partition\", \"users\", \"summary\"]",
        SETTINGS,
        "\"show\": [ \"partition\", \"users\", \"summary\" ]",
    );
    check(
        "remove = [\"vim\"]",
        "/etc/calamares/modules/packages.conf",
        "\"vim\"",
    );
    check(
        "[kernel]\ncmdline = [\"mitigations=off\"]",
        "/etc/calamares/modules/grubcfg.conf",
        "\"mitigations=off\"",
    );
    check(
        "[region]\ntimezone = \"Asia/Tokyo\"",
        "/etc/calamares/modules/locale.conf",
        "\"zone\": \"Tokyo\"",
    );
    check(
        "[region]\nhostname = \"anvil\"",
        "/etc/calamares/modules/users.conf",
        "\"template\": \"anvil\"",
    );
    check(
        "[users.live]\ngroups = [\"gamers\", \"sudo\"]",
        "/etc/calamares/modules/users.conf",
        "\"gamers\"",
    );
    check(
        "[users.live]\nname = \"ada\"",
        "/etc/polkit-1/rules.d/50-isosmith-installer.rules",
        "subject.user == \"ada\"",
    );
    check(
        "[branding]\nname = \"Bob's Best OS\"",
        "/usr/share/applications/isosmith-installer.desktop",
        "Name=Install Bob's Best OS",
    );
}

#[test]
fn the_first_person_may_become_root() {
    let text = written(&with(""), "/etc/calamares/modules/users.conf");
    let settings: serde_json::Value =
        serde_json::from_str(text.split_once("---\n").expect("a document").1).expect("JSON");
    let groups = settings["defaultGroups"].as_array().expect("a list");
    assert!(groups.iter().any(|group| group == "sudo"), "{text}");
}

#[test]
fn a_hidden_page_leaves_its_job_out() {
    let text = written(
        &with("pages = [\"partition\", \"users\", \"summary\"]"),
        SETTINGS,
    );
    for job in ["\"locale\"", "\"keyboard\"", "\"localecfg\"", "\"welcome\""] {
        assert!(!text.contains(job), "{job}");
    }
}

#[test]
fn boot_is_apart_from_what_grub_cannot_read() {
    for (more, apart) in [
        ("", true),
        ("encryption = \"hidden\"", false),
        ("encryption = \"hidden\"\nfilesystem = \"xfs\"", true),
        ("encryption = \"hidden\"\nfilesystem = \"btrfs\"", false),
    ] {
        let text = written(&with(more), PARTITION);
        assert_eq!(text.contains("noEncrypt"), apart, "{more}");
        assert!(
            !written(&with(more), SETTINGS).contains("luksbootkeyfile"),
            "{more}"
        );
    }
}

#[test]
fn the_old_calamares_has_its_own_words() {
    let old = spec(
        "[base]\nsuite = \"bookworm\"\n[desktop]\nenvironment = \"xfce\"\n[installer]\ncalamares = true\nluks = \"luks1\"\n",
    );
    assert!(written(&old, SETTINGS).contains("luksbootkeyfile"));
    assert!(!written(&old, PARTITION).contains("noEncrypt"));
    assert!(
        written(&old, "/etc/calamares/modules/isosmith-loader.conf").contains("@@ROOT@@ bookworm")
    );
    assert!(
        written(&with(""), "/etc/calamares/modules/isosmith-loader.conf")
            .contains("${ROOT} trixie")
    );
}

/// YAML 1.2 takes JSON as it is.
#[test]
fn settings_parse_whatever_the_names_are() {
    let awkward = spec(
        "[branding]\nname = \"Ünï: '#{[ - 1\"\n[desktop]\nenvironment = \"xfce\"\n[installer]\ncalamares = true\n",
    );
    let mut count = 0;
    for file in files(&awkward, &image()) {
        let settings = file.path.starts_with("/etc/calamares/") && file.path.ends_with(".conf");
        if !settings {
            continue;
        }
        let (_, json) = file.text.split_once("---\n").expect("a document");
        serde_json::from_str::<serde_json::Value>(json)
            .unwrap_or_else(|error| panic!("{}: {error}", file.path));
        count += 1;
    }
    assert!(count > 15, "{count}");
}

#[test]
fn live_packages_go_and_others_stay() {
    let text = written(&with(""), "/etc/calamares/modules/packages.conf");
    for name in ["calamares", "live-boot", "live-boot-initramfs-tools"] {
        assert!(text.contains(&format!("\"{name}\"")), "{name}");
    }
    for name in ["livecd", "vim"] {
        assert!(!text.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[test]
fn the_loader_is_debians_whatever_the_product_is_called() {
    let text = written(&with(""), "/etc/calamares/modules/bootloader.conf");
    assert!(text.contains("\"efiBootloaderId\": \"debian\""), "{text}");
    let grub = disk::grub_settings("Bob's OS");
    assert!(grub.contains("\nGRUB_DISTRIBUTOR=Debian\n"), "{grub}");
    assert!(
        grub.contains(r"*grub-mkconfig) GRUB_DISTRIBUTOR='Bob'\''s OS' ;;"),
        "{grub}"
    );
}

#[test]
fn an_installer_alone_needs_no_desktop() {
    let only = spec("[installer]\ncalamares = true\nonly = true\n");
    assert!(parameters(&only).contains("systemd.wants=isosmith-installer.service"));
    assert!(written(&only, "/usr/lib/systemd/system/isosmith-installer.service").contains("xinit"));
    assert!(!written(&only, SETTINGS).contains("displaymanager"));
    assert_eq!(parameters(&with("")), "isosmith.install");
}

/// What the last script removes is what the others were.
#[test]
fn nothing_of_the_installer_stays() {
    let finish = include_str!("scripts/finish.sh");
    let specs = [
        with(""),
        spec("[installer]\ncalamares = true\nonly = true\n"),
    ];
    for file in specs.iter().flat_map(|spec| files(spec, &image())) {
        if file.path == disk::GRUB_SETTINGS {
            continue;
        }
        let gone = finish.contains(&format!("\"$root{}\"", file.path))
            || ["/etc/calamares/", "/usr/lib/isosmith/installer/"]
                .iter()
                .any(|folder| file.path.starts_with(folder));
        assert!(gone, "{} stays on the installed system", file.path);
    }
}
