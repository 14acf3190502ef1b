//! Profiles that ship, built with a unit that tells what the booted system is.

use std::{collections::BTreeSet, fs, path::PathBuf};

use anyhow::{Result, ensure};
use isosmith_tests::{Kit, kit::workspace};

use super::{read_back, receipt, spec, start};

/// Builds the profile `name`, starts it, and compares what it says with its profile.
pub fn boots(kit: &Kit, name: &str) -> Result<()> {
    let folder = kit.root.join("shipped").join(name);
    fs::create_dir_all(&folder)?;
    let profile = told(name, &folder)?;
    let isosmith = kit.isosmith(&folder).env(
        "ISOSMITH_PROFILES",
        &workspace().join("profiles").display().to_string(),
    );
    let iso = isosmith.build(&profile)?.iso()?;
    let shots = start(kit, &iso, &folder, "bios")?;
    let found = read_back(&shots.serial)?;
    let of = |field: &str| found.get(field).map_or("", |value| value.trim());
    let words = |field: &str| of(field).split_whitespace().collect::<BTreeSet<_>>();

    let spec = spec(&profile)?;
    let mut wrong = Vec::new();
    for (what, want) in [
        ("hostname", spec.region.hostname.to_string()),
        ("timezone", spec.region.timezone.to_string()),
        ("failed", String::new()),
        ("dpkg_audit", String::new()),
    ] {
        if of(what) != want {
            wrong.push(format!("{what}: {:?} instead of {want:?}", of(what)));
        }
    }
    let packages = words("packages");
    for package in &spec.software.packages {
        if !packages.contains(package.as_str()) {
            wrong.push(format!("{package} is not installed"));
        }
    }
    let units = words("units");
    let switched = [
        (&spec.services.enable, "enabled"),
        (&spec.services.disable, "disabled"),
    ];
    for (names, state) in switched {
        for unit in names {
            if !units.contains(format!("{unit}={state}").as_str()) {
                wrong.push(format!("{unit} is not {state}"));
            }
        }
    }
    let product = format!("NAME=\"{}\"", spec.branding.name);
    if !of("os_release").contains(&product) {
        wrong.push(format!("os-release has no {product}"));
    }
    wrong.extend(receipt::missing(&spec, &found));
    wrong.extend(receipt::unhardened(&spec, &found));
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// A profile on top of `name` whose system tells over the serial line what it is.
fn told(name: &str, folder: &std::path::Path) -> Result<PathBuf> {
    let fixture = workspace().join("tests/fixtures/boot");
    let fixture = fixture.display();
    let path = folder.join("profile.toml");
    let text = format!(
        r#"format = 1
extends = "{name}"

[profile]
name = "{name}-told"
description = "{name}, telling what it is"

[[files]]
source = "{fixture}/read-back"
target = "/usr/local/sbin/isosmith-read-back"
mode = "0755"

[[files]]
source = "{fixture}/units"
target = "/etc/systemd/system"

[boot]
serial = {{ unit = 0, speed = 115200 }}
"#
    );
    fs::write(&path, text)?;
    Ok(path)
}
