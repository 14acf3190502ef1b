//! Accounts that are part of the system, installed ones too: the entry in the tables first, so
//! that files can be given to them, and the home folder when everything that goes into it is
//! there.

use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::fs::Tree;
use isosmith_spec::model::{Account, BuildSpec};
use serde_json::{Value, json};

use super::{
    in_tree, not_in_image,
    users::{group_id, login_text, set_password},
};
use crate::{
    state::Debian,
    tree_file::{self, TreeFile},
};

/// Makes a home folder as new.
const FRESH_HOME: &str = "/usr/lib/isosmith/fresh-home";

/// How homes are when they are new, and marks of those that are in use.
const HOMES: &str = "/var/lib/isosmith/homes";

/// What the entries in the tables say.
pub(super) fn inputs(spec: &BuildSpec) -> Value {
    numbered(spec)
        .map(|(uid, account)| {
            json!({
                "uid": uid,
                "name": account.name.as_str(),
                "fullName": account.full_name,
                "password": login_text(&account.password),
                "groups": groups(account),
                "sudo": account.sudo,
            })
        })
        .collect()
}

/// Accounts with their numbers, in the order written. live-config gives the live user number
/// 1000, whoever has it.
fn numbered(spec: &BuildSpec) -> impl Iterator<Item = (u32, &Account)> {
    let first = if spec.users.live.is_some() {
        1001
    } else {
        1000
    };
    (first..).zip(&spec.users.accounts)
}

/// Supplementary groups, sudo's own with them.
fn groups(account: &Account) -> Vec<String> {
    let mut groups: Vec<String> = account.groups.iter().map(ToString::to_string).collect();
    if account.sudo && groups.iter().all(|group| group != "sudo") {
        groups.push("sudo".to_owned());
    }
    groups
}

/// Makes the entries, without home folders.
pub(super) fn enter(cx: &StepCx<'_>, tree: &Tree, spec: &BuildSpec) -> Result<(), Failure> {
    for (number, (uid, account)) in numbered(spec).enumerate() {
        for (place, group) in account.groups.iter().enumerate() {
            if group_id(tree, group.as_str())?.is_none() {
                return Err(not_in_image(
                    &format!("users.accounts[{number}].groups[{place}]"),
                    &format!("no package of this image makes a group {group}"),
                    "Leave the group out, or add the package that makes it.",
                ));
            }
        }
        let mut add = in_tree("useradd", cx.root()).args([
            "--uid",
            &uid.to_string(),
            "--user-group",
            "--no-create-home",
            "--shell",
            "/bin/bash",
            "--comment",
            &account.full_name,
        ]);
        let groups = groups(account);
        if !groups.is_empty() {
            add = add.args(["--groups", &groups.join(",")]);
        }
        cx.run(&add.args([account.name.as_str()]))?;
        set_password(tree, account.name.as_str(), &login_text(&account.password))?;
    }
    Ok(())
}

/// Whose homes are made, and which are as new after each logout.
pub(crate) fn homes_inputs(state: &Debian) -> Value {
    let homes: Vec<_> = numbered(&state.spec)
        .map(|(uid, account)| json!([uid, account.name.as_str(), account.reset]))
        .collect();
    json!({ "homes": homes, "files": tree_file::inputs(&reset_files(&state.spec)) })
}

/// Makes the home folders, after files were laid over `/etc/skel` and over homes themselves.
pub(crate) fn homes(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let spec = &state.spec;
    if spec.users.accounts.is_empty() {
        return Ok(Done::Skipped(
            "the profile has no accounts of its own".to_owned(),
        ));
    }
    let root = cx.root().to_owned();
    let tree = Tree::open(&root)?;
    tree_file::write(&tree, &reset_files(spec))?;
    if spec.users.accounts.iter().any(|account| account.reset) {
        cx.run(&in_tree("install", &root).args(["-d", "-m", "0700", HOMES]))?;
    }
    for (uid, account) in numbered(spec) {
        let home = format!("/home/{}", account.name);
        let id = uid.to_string();
        let install = in_tree("install", &root).args(["-d", "-m", "0700", "-o", &id, "-g", &id]);
        cx.run(&install.args([home.as_str()]))?;
        // As the account itself, so that everything is its own; what files of the profile laid
        // there stays.
        let copy = in_tree("setpriv", &root)
            .args([&format!("--reuid={id}"), &format!("--regid={id}")])
            .args(["--clear-groups", "cp", "-r", "--no-clobber", "/etc/skel/."]);
        cx.run(&copy.args([home.as_str()]))?;
        if account.reset {
            cx.run(&in_tree("cp", &root).args(["-a", &home, HOMES]))?;
        }
    }
    Ok(Done::Done)
}

/// What makes homes as new: the manager of a user's services starts with the first session of
/// the user and ends after the last one, whichever way they came (user@.service(5)).
fn reset_files(spec: &BuildSpec) -> Vec<TreeFile> {
    let reset: Vec<_> = numbered(spec)
        .filter(|(_, account)| account.reset)
        .collect();
    if reset.is_empty() {
        return Vec::new();
    }
    let names: Vec<_> = reset
        .iter()
        .map(|(_, account)| account.name.as_str())
        .collect();
    let mut files = vec![
        TreeFile::program(FRESH_HOME, fresh_home()),
        // Nothing of theirs goes on running, and nobody finds the manager of a session before.
        TreeFile::new(
            "/etc/systemd/logind.conf.d/20-isosmith-reset.conf",
            format!(
                "[Login]\nUserStopDelaySec=0\nKillUserProcesses=yes\nKillOnlyUsers={}\n",
                names.join(" ")
            ),
        ),
    ];
    files.extend(reset.iter().map(|(uid, account)| {
        let name = account.name.as_str();
        TreeFile::new(
            format!("/etc/systemd/system/user@{uid}.service.d/isosmith-reset.conf"),
            format!(
                "[Service]\nExecStartPre=+{FRESH_HOME} begin {name}\n\
                 ExecStopPost=+{FRESH_HOME} end {name}\n"
            ),
        )
    }));
    files
}

/// The mark outlives a power cut: whoever logs in next finds a new home then, too. The old home
/// goes by a rename, so that nothing that still has a file open in it stops the new one.
fn fresh_home() -> String {
    format!(
        "#!/bin/sh\n\
         # Makes the home folder of an account as new: `fresh-home begin NAME` before its first\n\
         # session, `fresh-home end NAME` after its last.\n\
         set -e\n\
         name=$2\n\
         home=/home/$name\n\
         new={HOMES}/$name\n\
         used={HOMES}/.used-$name\n\
         [ -d \"$new\" ] || exit 0\n\
         if [ -e \"$used\" ] || [ ! -d \"$home\" ]; then\n\
         \told=/home/.old-$name\n\
         \trm -rf --one-file-system \"$old\" \"/home/.new-$name\"\n\
         \tcp -a \"$new\" \"/home/.new-$name\"\n\
         \t[ ! -e \"$home\" ] || mv -T \"$home\" \"$old\"\n\
         \tmv -T \"/home/.new-$name\" \"$home\"\n\
         \trm -rf --one-file-system \"$old\"\n\
         \t# What was left where everybody may write.\n\
         \tfind /tmp /var/tmp /dev/shm -xdev -mindepth 1 -user \"$name\" -delete 2> /dev/null || true\n\
         \trm -f \"$used\"\n\
         fi\n\
         [ \"$1\" != begin ] || : > \"$used\"\n"
    )
}
