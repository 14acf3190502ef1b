//! `settings.conf`: which pages are shown, what is done in which order.

use isosmith_branding::Brand;
use isosmith_spec::model::{BuildSpec, DisplayManager, InstallerPage};
use serde_json::{Value, json};

use super::{Calamares, Written, disk, scripts, yaml};

pub(super) fn files(spec: &BuildSpec) -> Vec<Written> {
    vec![
        Written::new("/etc/calamares/settings.conf", yaml(&settings(spec))),
        Written::module("welcome", &welcome()),
        Written::module("finished", &finished()),
    ]
}

fn settings(spec: &BuildSpec) -> Value {
    let shown: Vec<&str> = spec
        .installer
        .pages
        .iter()
        .map(|page| name(*page))
        .collect();
    let brand = Brand::from_spec(&spec.branding, None, None);
    json!({
        "modules-search": ["local", "/usr/lib/calamares/modules"],
        "instances": scripts::instances(),
        "sequence": [
            { "show": shown },
            { "exec": jobs(spec) },
            { "show": ["finished"] },
        ],
        "branding": isosmith_branding::calamares::component_name(&brand),
        "prompt-install": false,
        "dont-chroot": false,
        "oem-setup": false,
        "disable-cancel": false,
        "disable-cancel-during-exec": false,
        "hide-back-and-next-during-exec": false,
        "quit-at-end": false,
    })
}

const fn name(page: InstallerPage) -> &'static str {
    match page {
        InstallerPage::Welcome => "welcome",
        InstallerPage::Locale => "locale",
        InstallerPage::Keyboard => "keyboard",
        InstallerPage::Partition => "partition",
        InstallerPage::Users => "users",
        InstallerPage::Summary => "summary",
    }
}

/// Jobs in their order. A page that is not shown leaves the image as the spec made it, so its
/// job is left out too: Calamares refuses the job of a page that nobody saw.
///
/// Left out of Debian's own sequence: what writes apt sources (the image has the spec's),
/// `services-systemd` (the image has the spec's units), `plymouthcfg` (the image has its
/// theme), and `initramfscfg` with `luksbootkeyfile`, where `/boot` is not encrypted.
fn jobs(spec: &BuildSpec) -> Vec<&'static str> {
    let shown = |page| spec.installer.pages.contains(&page);
    let mut jobs = vec!["partition", "mount", "unpackfs", "machineid"];
    if shown(InstallerPage::Locale) {
        jobs.push("locale");
    }
    if shown(InstallerPage::Keyboard) {
        jobs.push("keyboard");
    }
    if shown(InstallerPage::Locale) {
        jobs.push("localecfg");
    }
    let key_file = disk::needs_key_file(spec);
    if key_file {
        jobs.push("luksbootkeyfile");
    }
    jobs.extend(["fstab", "users"]);
    if spec.desktop.display_manager != DisplayManager::None {
        jobs.push("displaymanager");
    }
    jobs.extend([
        "networkcfg",
        scripts::PREPARE,
        // Before packages are removed: what this machine's loader needs is then kept.
        scripts::LOADER,
        "packages",
        "grubcfg",
    ]);
    if key_file {
        jobs.push("initramfscfg");
    }
    // Before the menu is written, which names the initramfs only when it is there.
    jobs.extend([scripts::INITRAMFS, "bootloader", scripts::FINISH, "umount"]);
    jobs
}

fn welcome() -> Value {
    json!({
        "showSupportUrl": true,
        "showKnownIssuesUrl": true,
        "showReleaseNotesUrl": true,
        "showDonateUrl": false,
        "requirements": {
            "requiredStorage": 8,
            "requiredRam": 1.0,
            "check": ["storage", "ram", "power", "root"],
            "required": ["storage", "ram", "root"],
        },
        // Nothing of a machine is told to anybody on the network.
        "geoip": { "style": "none", "url": "", "selector": "" },
    })
}

fn finished() -> Value {
    json!({
        "restartNowMode": "user-checked",
        "restartNowCommand": "systemctl -i reboot",
        "notifyOnFinished": false,
    })
}

impl Calamares {
    /// How a script is told the folder of the new system.
    pub(super) const fn root_variable(self) -> &'static str {
        match self {
            Self::Old => "@@ROOT@@",
            Self::New => "${ROOT}",
        }
    }
}
