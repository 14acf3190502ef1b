//! Who will use the system, in which language, with which keyboard, and who shows the login.

use isosmith_spec::model::{BuildSpec, DisplayManager};
use serde_json::{Value, json};

use super::{Calamares, Image, Written};

/// Groups that a person at the machine belongs to, as Debian's own installer has it
/// (user-setup, `passwd/user-default-groups`), as far as the image has them.
const GROUPS: &[&str] = &[
    "cdrom",
    "floppy",
    "audio",
    "dip",
    "video",
    "plugdev",
    "users",
    "netdev",
    "scanner",
    "bluetooth",
    "lpadmin",
];

pub(super) fn files(spec: &BuildSpec, image: &Image) -> Vec<Written> {
    let mut files = vec![
        Written::module("users", &users(spec, image)),
        Written::module("locale", &locale(spec)),
        Written::module("keyboard", &keyboard()),
        Written::module("machineid", &machine_id()),
    ];
    if let Some(name) = display_manager(spec.desktop.display_manager) {
        let settings =
            json!({ "displaymanagers": [name], "basicSetup": false, "sysconfigSetup": false });
        files.push(Written::module("displaymanager", &settings));
    }
    files
}

/// As Calamares calls it.
const fn display_manager(manager: DisplayManager) -> Option<&'static str> {
    match manager {
        DisplayManager::Sddm => Some("sddm"),
        DisplayManager::Gdm => Some("gdm"),
        DisplayManager::Lightdm => Some("lightdm"),
        DisplayManager::None => None,
    }
}

fn users(spec: &BuildSpec, image: &Image) -> Value {
    let live = spec.users.live.iter().flat_map(|user| &user.groups);
    let mut groups: Vec<String> = GROUPS.iter().map(|&group| group.to_owned()).collect();
    groups.extend(live.map(ToString::to_string));
    // Calamares gives the group its right, but nobody to it.
    groups.push("sudo".to_owned());
    groups.retain(|group| image.groups.contains(group));
    groups.sort();
    groups.dedup();
    let mut settings = json!({
        "defaultGroups": groups,
        "sudoersGroup": "sudo",
        "sudoersConfigureWithGroup": true,
        "autologinGroup": "",
        "doAutologin": false,
        "setRootPassword": false,
        "doReusePassword": false,
        "avatarFilePath": "~/.face",
        "passwordRequirements": {
            "nonempty": true,
            "minLength": 8,
            "maxLength": -1,
            // Words are looked up in a dictionary that only comes by a Recommends; without it
            // no password at all is good enough.
            "libpwquality": ["minlen=8", "minclass=0", "dictcheck=0"],
        },
        // A weaker one takes a tick in a box.
        "allowWeakPasswords": true,
        "allowWeakPasswordsDefault": false,
    });
    let host = spec.region.hostname.as_str();
    // They are in the image already.
    let mut taken = vec!["root", "nobody", "isosmith-kiosk"];
    taken.extend(
        spec.users
            .accounts
            .iter()
            .map(|account| account.name.as_str()),
    );
    let more = match Calamares::of(spec.base.suite) {
        Calamares::Old => {
            json!({ "setHostname": "EtcFile", "writeHostsFile": true, "userShell": "/bin/bash" })
        }
        Calamares::New => json!({
            "user": { "shell": "/bin/bash", "forbidden_names": taken, "home_permissions": "0700" },
            "hostname": { "location": "EtcFile", "writeHostsFile": true, "template": host, "forbidden_names": ["localhost"] },
        }),
    };
    if let (Some(settings), Value::Object(more)) = (settings.as_object_mut(), more) {
        settings.extend(more);
    }
    settings
}

/// The map begins where the image is; nothing is asked of the network.
fn locale(spec: &BuildSpec) -> Value {
    let zone = spec.region.timezone.as_str();
    let (region, place) = zone.split_once('/').unwrap_or(("Etc", zone));
    json!({
        "region": region,
        "zone": place,
        "useSystemTimezone": false,
        "adjustLiveTimezone": false,
        "localeGenPath": "/etc/locale.gen",
        "geoip": { "style": "none", "url": "", "selector": "" },
    })
}

fn keyboard() -> Value {
    json!({
        "xOrgConfFileName": "/etc/X11/xorg.conf.d/00-keyboard.conf",
        "convertedKeymapPath": "",
        "writeEtcDefaultKeyboard": true,
        // The keyboard of the running system is the one that the person types on.
        "guessLayout": false,
    })
}

/// The image has an empty file, which systemd fills anew at every start of the live system.
fn machine_id() -> Value {
    json!({
        "systemd": true,
        "systemd-style": "uuid",
        "dbus": true,
        "dbus-symlink": true,
        "entropy-copy": false,
        "entropy-files": ["/var/lib/systemd/random-seed"],
    })
}
