//! The people of the tests, and what polkit's rules let them do.

use std::{fs, path::Path};

use anyhow::Result;
use isosmith_tests::{
    bus::{Authority, Party, Person},
    kit::workspace,
};

/// May build.
pub const ALICE: Person = Person {
    name: "isosmith-alice",
    id: 61_001,
};
/// May build.
pub const BOB: Person = Person {
    name: "isosmith-bob",
    id: 61_002,
};
/// May do nothing.
pub const CAROL: Person = Person {
    name: "isosmith-carol",
    id: 61_003,
};
/// May do what no rule speaks of: somebody would have to be asked, and nobody is there.
pub const DAVE: Person = Person {
    name: "isosmith-dave",
    id: 61_004,
};
/// May do everything.
pub const GRACE: Person = Person {
    name: "isosmith-grace",
    id: 61_005,
};
/// May build what is called "allowed".
pub const ERIN: Person = Person {
    name: "isosmith-erin",
    id: 61_006,
};

/// Everybody.
pub const PEOPLE: &[Person] = &[ALICE, BOB, CAROL, DAVE, GRACE, ERIN];

/// A further group that Alice is in.
pub const MAKERS: Party = Party {
    name: "isosmith-makers",
    id: 61_100,
    people: &[ALICE],
};

const RULES: &str = r#"
polkit.addRule(function (action, subject) {
    if (action.id.indexOf("org.isosmith.") !== 0) return polkit.Result.NOT_HANDLED;
    switch (subject.user) {
    case "isosmith-alice":
    case "isosmith-bob":
        return action.id === "org.isosmith.build" || action.id === "org.isosmith.build-weaker"
            ? polkit.Result.YES : polkit.Result.NO;
    case "isosmith-carol":
        return polkit.Result.NO;
    case "isosmith-grace":
        return polkit.Result.YES;
    case "isosmith-erin":
        return (action.lookup("product") || "").toLowerCase().indexOf("allowed") === 0
            ? polkit.Result.YES : polkit.Result.NO;
    }
    return polkit.Result.NOT_HANDLED;
});
"#;

/// Stands in for the packaged policy as long as there is none.
const POLICY: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD polkit Policy Configuration 1.0//EN"
 "http://www.freedesktop.org/software/polkit/policyconfig-1.dtd">
<policyconfig>
  <vendor>Isosmith</vendor>
  @ACTIONS@
</policyconfig>
"#;

/// Stands in for the packaged bus policy as long as there is none.
const BUS_POLICY: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <policy user="root">
    <allow own="org.isosmith.Helper1"/>
  </policy>
  <policy context="default">
    <allow send_destination="org.isosmith.Helper1"/>
  </policy>
</busconfig>
"#;

/// What polkit is told: the packaged actions, and the rules of the tests.
pub fn authority(folder: &Path) -> Result<Authority> {
    Ok(Authority {
        actions: vec![shipped(
            folder,
            ".policy",
            "org.isosmith.policy",
            &policy(),
        )?],
        rules: RULES.to_owned(),
    })
}

/// The packaged policy of the bus.
pub fn bus_policy(folder: &Path) -> Result<std::path::PathBuf> {
    shipped(folder, ".conf", "org.isosmith.Helper1.conf", BUS_POLICY)
}

/// The file in `packaging` whose name begins with ours and ends with `end`; a file with `text`
/// when there is none.
fn shipped(folder: &Path, end: &str, name: &str, text: &str) -> Result<std::path::PathBuf> {
    let found = fs::read_dir(workspace().join("packaging"))
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .find(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with("org.isosmith.") && name.ends_with(end)
        });
    if let Some(entry) = found {
        return Ok(entry.path());
    }
    let path = folder.join(name);
    fs::write(&path, text)?;
    Ok(path)
}

fn policy() -> String {
    let action = |(name, default): &(&str, &str)| {
        format!(
            "<action id=\"org.isosmith.{name}\"><description>{name}</description>\
             <message>Build '$(product)' ($(what)) into $(folder)</message>\
             <defaults><allow_any>{default}</allow_any><allow_inactive>{default}</allow_inactive>\
             <allow_active>{default}</allow_active></defaults></action>"
        )
    };
    let actions: String = ACTIONS.iter().map(action).collect();
    POLICY.replace("@ACTIONS@", &actions)
}

/// Every action, and what happens where no rule says otherwise.
pub const ACTIONS: &[(&str, &str)] = &[
    ("build", "auth_admin_keep"),
    ("build-weaker", "auth_admin"),
    ("manage", "auth_admin_keep"),
    ("write-device", "auth_admin"),
];
