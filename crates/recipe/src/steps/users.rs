//! Who can log in: root and accounts by the tree, the live user by live-config when the system
//! starts.

use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::fs::Tree;
use isosmith_protocol::Code;
use isosmith_spec::model::{LiveUser, Login, SudoPolicy};
use serde_json::{Value, json};

use super::{accounts, not_in_image};
use crate::{desktop, state::Debian};

/// live-config reads every file in here; see live-config(7).
const LIVE_CONFIG: &str = "/etc/live/config.conf.d/isosmith.conf";

/// Runs after live-config's own `0030-user-setup`, which gives everybody the password "live".
const COMPONENT: &str = "/usr/lib/live/config/0031-isosmith-user";

/// Runs before live-config's `0050-locales`, which generates every locale again: half a minute of
/// each start. `locales=` on the kernel's command line still asks for others.
const LOCALES: (&str, &str) = (
    "/usr/lib/live/config/0049-isosmith-locales",
    "#!/bin/sh\n\
     # Part of live-config: the locales are in the image already.\n\
     . /lib/live/config.sh\n\n\
     component_was_executed \"locales\" && exit 0\n\
     for parameter in ${LIVE_CONFIG_CMDLINE}; do\n\
     \tcase \"$parameter\" in locales=*|live-config.locales=*) exit 0 ;; esac\n\
     done\n\
     echo -n \" isosmith-locales\"\n\
     touch /var/lib/live/config/locales\n",
);

/// Everything that this layer writes.
pub(crate) fn inputs(state: &Debian) -> Value {
    let users = &state.spec.users;
    json!({
        "root": login_text(&users.root),
        "live": users.live.as_ref().map(|user| json!({
            "name": user.name.as_str(),
            "fullName": user.full_name,
            "password": login_text(&user.password),
            "groups": user.groups.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "sudo": format!("{:?}", user.sudo),
            "sshKeys": user.ssh_keys,
        })),
        "liveConfig": live_config(state),
        "locales": LOCALES.1,
        "accounts": accounts::inputs(&state.spec),
    })
}

/// A password field of shadow(5).
pub(super) fn login_text(login: &Login) -> String {
    match login {
        Login::Locked | Login::Prompt => "*".to_owned(),
        Login::Hash(hash) => hash.clone(),
    }
}

/// Writes accounts.
pub(crate) fn configure(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let tree = Tree::open(cx.root())?;
    let users = &state.spec.users;
    if users.logins().any(|login| *login == Login::Prompt) {
        return Err(Failure::new(
            Code::ProfileInvalid,
            "a password was to be asked for and was not",
            "Run the build on a terminal, or put a hash into the profile (mkpasswd -m yescrypt).",
        ));
    }
    set_password(&tree, "root", &login_text(&users.root))?;
    accounts::enter(cx, &tree, &state.spec)?;
    let mut config = live_config(state);
    match &users.live {
        Some(user) => config.push_str(&live_user(&tree, user)?),
        None => config.push_str("LIVE_CONFIG_NOROOT=\"true\"\n"),
    }
    tree.write(LIVE_CONFIG, config.as_bytes(), 0o644)?;
    let (path, text) = LOCALES;
    tree.write(path, text.as_bytes(), 0o755)?;
    Ok(Done::Done)
}

/// Writes the password field of an account; see shadow(5).
pub(super) fn set_password(tree: &Tree, name: &str, password: &str) -> Result<(), Failure> {
    let shadow = tree.read_text("/etc/shadow")?.unwrap_or_default();
    let changed: String = shadow
        .lines()
        .map(|line| {
            match line
                .split_once(':')
                .filter(|(found, _)| *found == name)
                .and_then(|(_, rest)| rest.split_once(':'))
            {
                Some((_, rest)) => format!("{name}:{password}:{rest}\n"),
                None => format!("{line}\n"),
            }
        })
        .collect();
    let group = group_id(tree, "shadow")?.unwrap_or(0);
    Ok(tree.write_owned("/etc/shadow", changed.as_bytes(), 0o640, 0, group)?)
}

/// The number of a group in the tree.
pub(crate) fn group_id(tree: &Tree, name: &str) -> Result<Option<u32>, Failure> {
    Ok(number_of(
        &tree.read_text("/etc/group")?.unwrap_or_default(),
        name,
    ))
}

/// The number of a user in the tree.
pub(crate) fn user_id(tree: &Tree, name: &str) -> Result<Option<u32>, Failure> {
    Ok(number_of(
        &tree.read_text("/etc/passwd")?.unwrap_or_default(),
        name,
    ))
}

/// The third field of passwd(5) and group(5).
fn number_of(table: &str, name: &str) -> Option<u32> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        fields.nth(1)?.parse().ok()
    })
}

/// What live-config would otherwise set to its own defaults when the system starts, whatever
/// the tree says.
fn live_config(state: &Debian) -> String {
    let region = &state.spec.region;
    let keyboard = &region.keyboard;
    let mut lines = String::new();
    for (name, value) in [
        ("LIVE_HOSTNAME", region.hostname.as_str()),
        ("LIVE_TIMEZONE", region.timezone.as_str()),
        ("LIVE_KEYBOARD_MODEL", keyboard.model.as_str()),
        ("LIVE_KEYBOARD_LAYOUTS", keyboard.layout.as_str()),
        ("LIVE_KEYBOARD_VARIANTS", keyboard.variant.as_str()),
        ("LIVE_KEYBOARD_OPTIONS", keyboard.options.as_str()),
    ] {
        if !value.is_empty() {
            lines.push_str(&format!("{name}={}\n", isosmith_host::cmd::quote(value)));
        }
    }
    lines
}

/// Checks the live user's groups and writes what is its own; returns lines for live-config.
fn live_user(tree: &Tree, user: &LiveUser) -> Result<String, Failure> {
    for (number, group) in user.groups.iter().enumerate() {
        if group_id(tree, group.as_str())?.is_none() {
            return Err(not_in_image(
                &format!("users.live.groups[{number}]"),
                &format!("no package of this image makes a group {group}"),
                "Leave the group out, or add the package that makes it.",
            ));
        }
    }
    let groups: Vec<_> = user.groups.iter().map(ToString::to_string).collect();
    let no_root = if user.sudo == SudoPolicy::None {
        "LIVE_CONFIG_NOROOT=\"true\"\n"
    } else {
        ""
    };
    let config = format!(
        "LIVE_USERNAME=\"{}\"\nLIVE_USER_FULLNAME={}\nLIVE_USER_DEFAULT_GROUPS=\"{}\"\n{no_root}",
        user.name,
        isosmith_host::cmd::quote(&user.full_name),
        groups.join(" "),
    );
    if user.sudo == SudoPolicy::Password {
        // live-config leaves a rule for this user alone, and adds none without a password.
        let rule = format!("{} ALL=(ALL:ALL) ALL\n", user.name);
        tree.write("/etc/sudoers.d/live", rule.as_bytes(), 0o440)?;
    }
    // It holds the password's hash, which is as secret here as in `/etc/shadow`.
    tree.write(COMPONENT, component(user).as_bytes(), 0o700)?;
    Ok(config)
}

/// Gives the live user its own password and keys.
fn component(user: &LiveUser) -> String {
    let password = isosmith_host::cmd::quote(&login_text(&user.password));
    let name = user.name.as_str();
    let keys = user.ssh_keys.join("\n");
    let keys = if keys.is_empty() {
        String::new()
    } else {
        format!(
            "\nhome=$(getent passwd {name} | cut -d: -f6)\n\
             install -d -m 0700 -o {name} -g {name} \"$home/.ssh\"\n\
             install -m 0600 -o {name} -g {name} /dev/null \"$home/.ssh/authorized_keys\"\n\
             cat > \"$home/.ssh/authorized_keys\" <<'ISOSMITH_KEYS'\n{keys}\nISOSMITH_KEYS\n"
        )
    };
    format!(
        "#!/bin/sh\n\
         # Part of live-config: what the image's maker chose for the live user.\n\
         . /lib/live/config.sh\n\n\
         component_was_executed \"isosmith-user\" && exit 0\n\
         getent passwd {name} > /dev/null || exit 0\n\
         echo -n \" isosmith-user\"\n\
         usermod --password {password} {name}\n\
         {keys}\n\
         touch /var/lib/live/config/isosmith-user\n"
    )
}

/// What the kernel's command line must say for these users; see live-config(7).
pub(crate) fn parameters(state: &Debian) -> Vec<String> {
    let Some(user) = &state.spec.users.live else {
        // Else its components would log somebody called `user` in.
        return vec![
            "nocomponents=user-setup,sudo,policykit,isosmith-user".to_owned(),
            "noautologin".to_owned(),
        ];
    };
    let mut parameters = match user.sudo {
        SudoPolicy::NoPassword | SudoPolicy::None => vec!["components".to_owned()],
        // Its policykit component lets the live user do everything without a password.
        SudoPolicy::Password => vec!["nocomponents=policykit".to_owned()],
    };
    if !user.autologin {
        parameters.push("noautologin".to_owned());
    } else if desktop::keeps_consoles_shut(&state.spec) {
        parameters.push("nottyautologin".to_owned());
    }
    parameters
}
