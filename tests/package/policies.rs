//! Who may do what: the bus's policy, polkit's actions, the unit, AppArmor (row P12 of the
//! study).

use anyhow::{Context, Result, ensure};

use crate::{Named, Subject, room::Room};

pub const TRIALS: &[Named] = &[
    ("the_bus_lets_root_alone_be_the_service", own),
    ("the_bus_passes_on_three_interfaces_only", send),
    ("the_bus_starts_the_service", activation),
    ("polkit_knows_the_actions_and_their_defaults", actions),
    ("every_message_is_there_in_german", german),
    ("the_unit_is_sound_and_closed", unit),
    ("apparmor_gets_what_it_understands", apparmor),
];

/// Starts a system bus in the room, for the rest of a script.
const BUS: &str = "
    mkdir -p /run/dbus
    dbus-daemon --system --fork --nopidfile
    as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"; }
    ask_bus() { dbus-send --system --print-reply --dest=org.freedesktop.DBus / \"$@\"; }
    ";

fn ready(subject: &Subject) -> Result<Room> {
    let room = subject.system.room(&subject.kit)?;
    room.install(&subject.deb)?;
    Ok(room)
}

fn own(subject: &Subject) -> Result<()> {
    let room = ready(subject)?;
    let file = "/usr/share/dbus-1/system.d/org.isosmith.Helper1.conf";
    let asked = |path: &str| room.run(&format!("xmllint --xpath \"{path}\" {file}"));
    for (path, want) in [
        ("count(//allow[@own])", "1"),
        (
            "string(//policy[@user='root']/allow/@own)",
            "org.isosmith.Helper1",
        ),
        (
            "count(//*[@own_prefix or @receive_sender or @eavesdrop])",
            "0",
        ),
    ] {
        let found = asked(path)?;
        ensure!(found == want, "{path} is {found}");
    }
    let request = "ask_bus org.freedesktop.DBus.RequestName string:org.isosmith.Helper1 uint32:4";
    let said = room.run(&format!("{BUS} {request}"))?;
    // DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER.
    ensure!(said.contains("uint32 1"), "root: {said}");
    let said = room.try_run(&format!(
        "{BUS} as_nobody dbus-send --system --print-reply --dest=org.freedesktop.DBus / \
         org.freedesktop.DBus.RequestName string:org.isosmith.Helper1 uint32:4"
    ))?;
    let refused = !said.well
        && said
            .text
            .contains("org.freedesktop.DBus.Error.AccessDenied");
    ensure!(refused, "nobody: {}", said.text);
    Ok(())
}

/// Calls as an ordinary user; the bus answers for itself where it lets nothing through.
fn call(room: &Room, method: &str) -> Result<String> {
    let said = room.try_run(&format!(
        "{BUS} as_nobody dbus-send --system --print-reply --reply-timeout=20000 \
         --dest=org.isosmith.Helper1 /org/isosmith/Helper1 {method}"
    ))?;
    Ok(said.text)
}

fn send(subject: &Subject) -> Result<()> {
    let room = ready(subject)?;
    // So that only the bus's own judgement is seen.
    room.run("ln -sf /bin/false /usr/libexec/isosmith-helper")?;
    for (method, passes) in [
        ("org.isosmith.Helper1.Version", true),
        ("org.freedesktop.DBus.Introspectable.Introspect", true),
        ("org.freedesktop.DBus.Properties.GetAll string:x", true),
        ("org.isosmith.Other1.Version", false),
        ("org.freedesktop.systemd1.Manager.Reboot", false),
        (
            "org.freedesktop.DBus.ObjectManager.GetManagedObjects",
            false,
        ),
    ] {
        let said = call(&room, method)?;
        let refused = said.contains("org.freedesktop.DBus.Error.AccessDenied");
        ensure!(refused != passes, "{method}: {said}");
    }
    Ok(())
}

/// Without systemd the bus starts it as root, for whoever calls; both paths lead to the same
/// program.
fn activation(subject: &Subject) -> Result<()> {
    let room = ready(subject)?;
    let said = call(&room, "org.isosmith.Helper1.Version")?;
    ensure!(said.contains("method return"), "{said}");
    let introspected = call(&room, "org.freedesktop.DBus.Introspectable.Introspect")?;
    ensure!(
        introspected.contains("org.isosmith.Helper1"),
        "{introspected}"
    );
    let unit = room.run(
        "grep -h '^ExecStart=\\|^BusName=' /usr/lib/systemd/system/isosmith-helper.service
         sed -n 's/^SystemdService=//p; s/^Exec=/ExecStart=/p; s/^Name=/BusName=/p' \
            /usr/share/dbus-1/system-services/org.isosmith.Helper1.service",
    )?;
    for (line, times) in [
        ("ExecStart=/usr/libexec/isosmith-helper", 2),
        ("BusName=org.isosmith.Helper1", 2),
        ("isosmith-helper.service", 1),
    ] {
        let found = unit.lines().filter(|found| *found == line).count();
        ensure!(found == times, "{line} is there {found} times:\n{unit}");
    }
    Ok(())
}

/// What polkitd itself says about each action.
fn actions(subject: &Subject) -> Result<()> {
    let room = ready(subject)?;
    room.run(
        "xmllint --nonet --noout --dtdvalid /usr/share/polkit-1/policyconfig-1.dtd \
         /usr/share/polkit-1/actions/org.isosmith.policy",
    )?;
    for (action, want) in [
        ("org.isosmith.build", "auth_admin_keep"),
        ("org.isosmith.build-weaker", "auth_admin"),
        ("org.isosmith.manage", "auth_admin_keep"),
        ("org.isosmith.write-device", "auth_admin"),
    ] {
        let said = room.run(&format!("{BUS} pkaction --verbose --action-id {action}"))?;
        let defaults: Vec<_> = said
            .lines()
            .filter_map(|line| line.trim().strip_prefix("implicit "))
            .filter_map(|line| Some(line.split_once(':')?.1.trim()))
            .collect();
        ensure!(defaults == [want; 3], "{action}:\n{said}");
    }
    let said = room.run(&format!("{BUS} pkaction | grep -c '^org.isosmith'"))?;
    ensure!(said == "4", "{said} actions");
    Ok(())
}

fn german(subject: &Subject) -> Result<()> {
    let room = ready(subject)?;
    let file = "/usr/share/polkit-1/actions/org.isosmith.policy";
    for element in ["description", "message"] {
        let path =
            format!("count(//action[count({element}) = 2 and count({element}[lang('de')]) = 1])");
        let found = room.run(&format!("xmllint --xpath \"{path}\" {file}"))?;
        ensure!(found == "4", "{found} actions have a {element} in German");
    }
    // What is to be filled in is the same in both languages.
    let names = |path: &str| -> Result<Vec<String>> {
        let text = room.run(&format!("xmllint --xpath \"{path}\" {file}"))?;
        let mut names: Vec<_> = text
            .split("$(")
            .skip(1)
            .filter_map(|rest| rest.split_once(')').map(|(name, _)| name.to_owned()))
            .collect();
        names.sort();
        Ok(names)
    };
    let english = names("//message[not(lang('de'))]/text()")?;
    let german = names("//message[lang('de')]/text()")?;
    ensure!(english == german, "{english:?} {german:?}");
    ensure!(english.len() == 8, "{english:?}");
    Ok(())
}

fn unit(subject: &Subject) -> Result<()> {
    let room = ready(subject)?;
    let file = "/usr/lib/systemd/system/isosmith-helper.service";
    let said = room.run(&format!("systemd-analyze verify --man=no {file}"))?;
    ensure!(said.is_empty(), "{said}");
    let said = room.run(&format!(
        "systemd-analyze security --no-pager --offline=yes {file}"
    ))?;
    let score: f32 = said
        .lines()
        .find_map(|line| line.split_once("exposure level for isosmith-helper.service: "))
        .and_then(|(_, score)| score.split(' ').next()?.parse().ok())
        .with_context(|| said.clone())?;
    ensure!(score <= 4.0, "{said}");
    Ok(())
}

/// Where AppArmor knows user namespaces, it gets the profile and can read it; where it does
/// not, it would fail at each start of the machine.
fn apparmor(subject: &Subject) -> Result<()> {
    let room = ready(subject)?;
    let said = room.run(
        "if [ -e /etc/apparmor.d/abi/4.0 ]; then
            apparmor_parser --skip-kernel-load --skip-cache --names /etc/apparmor.d/isosmith 2>/dev/null
        else
            ! ls /etc/apparmor.d | grep isosmith
        fi",
    )?;
    let wanted = ["", "isosmith\nisosmith-helper"];
    ensure!(wanted.contains(&said.as_str()), "{said}");
    Ok(())
}
