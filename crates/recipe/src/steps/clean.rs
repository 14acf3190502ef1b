//! Takes out what belongs to this build and not to the systems that come from it.

use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::fs::Tree;
use isosmith_protocol::Code;
use serde_json::{Value, json};

use super::users::group_id;
use crate::state::Debian;

/// Folders that are emptied.
const EMPTIED: &[&str] = &[
    "/var/lib/apt/lists",
    "/var/cache/apt",
    "/var/cache/debconf/tmp.ci",
    "/var/cache/ldconfig",
    "/var/log",
    "/var/tmp",
    "/tmp",
    "/run",
    "/root/.cache",
    "/var/lib/systemd/coredump",
];

/// Files that are removed: identities, seeds, leftovers, backups whose contents depend on when
/// they were made.
const REMOVED: &[&str] = &[
    "/var/lib/dbus/machine-id",
    "/var/lib/systemd/random-seed",
    "/var/lib/systemd/credential.secret",
    "/var/lib/urandom/random-seed",
    "/etc/resolv.conf",
    "/etc/.pwd.lock",
    "/etc/passwd-",
    "/etc/group-",
    "/etc/shadow-",
    "/etc/gshadow-",
    "/etc/subuid-",
    "/etc/subgid-",
    "/var/cache/debconf/config.dat-old",
    "/var/cache/debconf/passwords.dat-old",
    "/var/cache/debconf/templates.dat-old",
    "/var/lib/dpkg/status-old",
    "/var/lib/dpkg/diversions-old",
    "/var/lib/dpkg/statoverride-old",
    "/var/lib/dpkg/lock",
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/triggers/Lock",
    "/var/lib/apt/daily_lock",
    "/root/.bash_history",
    "/root/.wget-hsts",
    "/usr/sbin/policy-rc.d",
];

/// The date of password changes, in days since 1970, would be the build's day.
pub(crate) fn inputs(state: &Debian) -> Value {
    json!({ "sourceDate": state.source_date() })
}

/// Cleans, then looks whether anything of the build is left.
pub(crate) fn clean(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let tree = Tree::open(cx.root())?;
    keep_log_folders(&tree)?;
    for path in REMOVED {
        tree.remove(path)?;
    }
    for name in tree.list("/etc/ssh")? {
        if name.starts_with("ssh_host_") {
            tree.remove(&format!("/etc/ssh/{name}"))?;
        }
    }
    // An empty file, not none: systemd makes an id at every start and keeps it where it can
    // (machine-id(5)). "uninitialized" would rerun first-boot presets and wipe choices.
    tree.write("/etc/machine-id", b"", 0o444)?;
    tree.mkdir_all("/var/lib/apt/lists/partial")?;
    tree.mkdir_all("/var/cache/apt/archives/partial")?;
    same_password_days(&tree, state.source_date().div_euclid(86_400))?;
    regenerate_ssh_keys(&tree)?;

    for path in ["/usr/sbin/policy-rc.d", "/run/isosmith", "/etc/resolv.conf"] {
        if tree.exists(path) {
            return Err(Failure::plain(
                Code::ImageInvalid,
                format!("{path} of the build is left in the tree"),
            ));
        }
    }
    Ok(Done::Done)
}

/// Empties folders; of logs only the files, because services expect their folders.
fn keep_log_folders(tree: &Tree) -> Result<(), Failure> {
    for folder in EMPTIED {
        if *folder == "/var/log" {
            remove_files(tree, folder)?;
        } else {
            tree.empty_dir(folder)?;
        }
    }
    Ok(())
}

fn remove_files(tree: &Tree, folder: &str) -> Result<(), Failure> {
    for name in tree.list(folder)? {
        let path = format!("{folder}/{name}");
        if tree.is_dir(&path) {
            remove_files(tree, &path)?
        } else {
            tree.remove(&path)?
        }
    }
    Ok(())
}

/// shadow(5): the third field is the day of the last password change.
fn same_password_days(tree: &Tree, day: i64) -> Result<(), Failure> {
    let Some(shadow) = tree.read_text("/etc/shadow")? else {
        return Ok(());
    };
    let changed: String = shadow
        .lines()
        .map(|line| {
            let mut fields: Vec<String> = line.split(':').map(str::to_owned).collect();
            if let Some(field) = fields.get_mut(2).filter(|field| !field.is_empty()) {
                *field = day.to_string();
            }
            fields.join(":") + "\n"
        })
        .collect();
    let group = group_id(tree, "shadow")?.unwrap_or(0);
    Ok(tree.write_owned("/etc/shadow", changed.as_bytes(), 0o640, 0, group)?)
}

/// openssh-server makes its keys when it is installed, not when it starts; without this a
/// cleaned image would have an SSH server without keys.
fn regenerate_ssh_keys(tree: &Tree) -> Result<(), Failure> {
    if !tree.exists("/usr/sbin/sshd") {
        return Ok(());
    }
    const UNIT: &str = "\
[Unit]
Description=Make SSH host keys where there are none
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
Before=ssh.service ssh.socket

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=ssh.service
";
    tree.write(
        "/usr/lib/systemd/system/isosmith-ssh-keys.service",
        UNIT.as_bytes(),
        0o644,
    )?;
    Ok(tree.symlink(
        "/usr/lib/systemd/system/isosmith-ssh-keys.service",
        "/etc/systemd/system/ssh.service.wants/isosmith-ssh-keys.service",
    )?)
}
