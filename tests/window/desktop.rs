//! The parts of a desktop that the window needs: a screen and a session bus.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::{fd::AsRawFd, unix::process::CommandExt},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use isosmith_tests::bus::{Daemon, Person};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};

/// A screen without glass, on a number that is free.
pub fn screen(folder: &Path) -> Result<(Daemon, String)> {
    let (said, tell) = std::io::pipe()?;
    fcntl(&tell, FcntlArg::F_SETFD(FdFlag::empty()))?;
    let screen = Daemon::start(
        Command::new("Xvfb")
            .arg("-displayfd")
            .arg(tell.as_raw_fd().to_string())
            .args(["-screen", "0", "1280x800x24", "-nolisten", "tcp", "-ac"])
            .arg("-fbdir")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("screen.log"))?),
    )?;
    drop(tell);
    let mut number = String::new();
    BufReader::new(said).read_line(&mut number)?;
    ensure!(!number.trim().is_empty(), "Xvfb does not start");
    Ok((screen, format!(":{}", number.trim())))
}

const SESSION: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>@ADDRESS@</listen>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// The picture in an XWD file (`X11/XWDFile.h`) of a screen with 32 bits per pixel, blue first.
pub fn picture(xwd: &[u8]) -> Option<image::RgbImage> {
    let number = |index: usize| {
        let bytes = xwd.get(index * 4..index * 4 + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let (header, width, height) = (number(0)?, number(4)?, number(5)?);
    let (bits, line, colours) = (number(11)?, number(12)?, number(19)?);
    // Each colour of the map takes twelve bytes.
    let start = header + colours * 12;
    let pixel = |x: u32, y: u32| {
        let at = usize::try_from(start + y * line + x * (bits / 8)).ok()?;
        let pixel = xwd.get(at..at + 3)?;
        Some(image::Rgb([pixel[2], pixel[1], pixel[0]]))
    };
    pixel(width - 1, height - 1)?;
    Some(image::RgbImage::from_fn(width, height, |x, y| {
        pixel(x, y).unwrap_or(image::Rgb([0; 3]))
    }))
}

/// A session bus of the person's.
pub fn session_bus(person: Person, runtime: &Path) -> Result<(Daemon, String)> {
    let socket = runtime.join("bus");
    let address = format!("unix:path={}", socket.display());
    // The test itself is root, which a session bus does not let in by itself.
    let config = runtime.join("session.conf");
    fs::write(&config, SESSION.replace("@ADDRESS@", &address))?;
    let bus = Daemon::start(
        Command::new("dbus-daemon")
            .uid(person.id)
            .gid(person.id)
            .args(["--nofork", "--nopidfile"])
            .arg(format!("--config-file={}", config.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null()),
    )?;
    let begun = Instant::now();
    while !socket.exists() {
        ensure!(begun.elapsed() < Duration::from_secs(10), "no session bus");
        thread::sleep(Duration::from_millis(20));
    }
    Ok((bus, address))
}
