//! The window's own package: what a desktop finds of it.

use std::process::Command;

use anyhow::{Result, ensure};
use isosmith_tests::kit::output;

use crate::{Named, Subject, files};

pub const TRIALS: &[Named] = &[
    ("the_window_has_what_desktops_look_for", whole),
    (
        "the_window_comes_with_its_own_version_of_the_rest",
        together,
    ),
    ("desktops_understand_the_window", understood),
    ("lintian_has_nothing_to_say_of_the_window", lintian),
];

const PARTS: &[&str] = &[
    "/usr/bin/isosmith-gui",
    "/usr/share/applications/org.isosmith.Isosmith.desktop",
    "/usr/share/doc/isosmith-gui/changelog.Debian.gz",
    "/usr/share/doc/isosmith-gui/copyright",
    "/usr/share/doc/isosmith-gui/crates.txt",
    "/usr/share/icons/hicolor/16x16/apps/isosmith.png",
    "/usr/share/icons/hicolor/48x48/apps/isosmith.png",
    "/usr/share/icons/hicolor/512x512/apps/isosmith.png",
    "/usr/share/icons/hicolor/scalable/apps/isosmith.svg",
    "/usr/share/man/man1/isosmith-gui.1.gz",
    "/usr/share/metainfo/org.isosmith.Isosmith.metainfo.xml",
    "/usr/share/mime/packages/isosmith.xml",
];

fn whole(subject: &Subject) -> Result<()> {
    files::check_parts(&subject.window, PARTS)?;
    files::check_modes(&subject.window, &["/usr/bin/isosmith-gui"])
}

/// Neither may be newer than the other: they talk to each other.
fn together(subject: &Subject) -> Result<()> {
    let field = |deb, name| -> Result<String> {
        let asked = output(Command::new("dpkg-deb").arg("-f").arg(deb).arg(name))?;
        Ok(asked.trim().to_owned())
    };
    let version = field(&subject.deb, "Version")?;
    ensure!(field(&subject.window, "Version")? == version);
    let depends = field(&subject.window, "Depends")?;
    let wanted = format!("isosmith (= {version})");
    ensure!(depends.split(", ").any(|one| one == wanted), "{depends}");
    ensure!(depends.contains("libwebkit2gtk-4.1-0"), "{depends}");
    Ok(())
}

/// The desktop's own tools look at what is for them.
fn understood(subject: &Subject) -> Result<()> {
    let room = subject.system.room(&subject.kit)?;
    room.bring(&subject.window, "window.deb")?;
    // Its libraries are not here, and it is not to be started.
    room.run("dpkg-deb --extract /window.deb /")?;
    room.run("desktop-file-validate /usr/share/applications/org.isosmith.Isosmith.desktop")?;
    room.run(
        "appstreamcli validate --no-net /usr/share/metainfo/org.isosmith.Isosmith.metainfo.xml",
    )?;
    let types = room.run("update-mime-database /usr/share/mime; cat /usr/share/mime/globs2")?;
    let known = types.contains("application/vnd.isosmith.profile+toml:*.isosmith.toml");
    ensure!(known, "the type of profiles is not known: {types:.400}");
    Ok(())
}

fn lintian(subject: &Subject) -> Result<()> {
    files::check_with_lintian(subject, &subject.window)
}
