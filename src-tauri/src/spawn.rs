//! The only place that starts other programs: the virtual machine's, and the desktop's opener.

use std::{
    env, fs,
    io::Read,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use isosmith_protocol::{Code, ErrorView};

use crate::fault::{self, Answer, Fault};

/// What a program on the desktop needs to know about it. Nothing else of our environment goes
/// on, such as what a test or a packager has set for us alone.
const HANDED_ON: &[&str] = &[
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "GDK_SCALE",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_MESSAGES",
    "LOGNAME",
    "PATH",
    "QT_SCALE_FACTOR",
    "TMPDIR",
    "USER",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_CURRENT_DESKTOP",
    "XDG_DATA_DIRS",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_TYPE",
    "XDG_STATE_HOME",
];

/// A program that has not failed for so long is at work.
const AT_ONCE: Duration = Duration::from_millis(1500);

/// No program's complaint is longer.
const LONGEST_COMPLAINT: u64 = 64 << 10;

/// Starts `program` apart from the window, which it outlives.
///
/// # Errors
///
/// When it is not there, or ends at once with an error: that error.
pub fn apart(program: &Path, arguments: &[&str]) -> Answer<()> {
    let handed_on = HANDED_ON
        .iter()
        .filter_map(|name| Some((name, env::var_os(name)?)));
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(handed_on)
        .current_dir("/")
        // An interrupt on our terminal is not for it.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| missing(program).because(error.to_string()))?;
    let heard = child.stderr.take().map(listen);
    let begun = Instant::now();
    while begun.elapsed() < AT_ONCE {
        if let Some(status) = ended(&mut child)? {
            let said = heard.and_then(|thread| thread.join().ok());
            return if status {
                Ok(())
            } else {
                Err(complaint(program, &said.unwrap_or_default()))
            };
        }
        thread::sleep(Duration::from_millis(20));
    }
    // Whoever has started it must wait for it, or it stays in the process table.
    thread::spawn(move || child.wait());
    Ok(())
}

/// Whether it has ended, and then whether well.
fn ended(child: &mut Child) -> Answer<Option<bool>> {
    let status = child.try_wait().map_err(fault::internal)?;
    Ok(status.map(|status| status.success()))
}

/// Reads what it complains about for as long as it runs, so that it can go on complaining.
fn listen(mut stderr: ChildStderr) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut kept = Vec::new();
        let _ = (&mut stderr).take(LONGEST_COMPLAINT).read_to_end(&mut kept);
        let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        String::from_utf8_lossy(&kept).into_owned()
    })
}

/// What it has written, or the error in it, where one of its lines is one.
fn complaint(program: &Path, said: &str) -> Fault {
    let ours = said
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str::<ErrorView>(line).ok());
    if let Some(view) = ours {
        return view.into();
    }
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let fallback = || format!("{} ended with an error", program.display());
    // The command line writes what happened first, then causes and what to do.
    let first = lines()
        .find_map(|line| line.strip_prefix("error: "))
        .or_else(|| lines().next());
    let fault = Fault::new(
        Code::CommandFailed,
        first.map_or_else(fallback, str::to_owned),
        "Run it in a terminal to see more.",
    );
    fault::after(&fault, said)
}

fn missing(program: &Path) -> Fault {
    Fault::new(
        Code::CommandMissing,
        format!("{} is not there", program.display()),
        "Install it, then try again.",
    )
}

/// The program `name` beside this one, else in `PATH`.
///
/// # Errors
///
/// [`Code::CommandMissing`].
pub fn find(name: &str) -> Answer<PathBuf> {
    let beside = env::current_exe()
        .ok()
        .and_then(|own| Some(own.parent()?.join(name)));
    let path = env::var_os("PATH").unwrap_or_default();
    let elsewhere = env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name));
    beside
        .into_iter()
        .chain(elsewhere)
        .find(|program| is_program(program))
        .ok_or_else(|| missing(Path::new(name)))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A program that runs `words`.
    fn program(words: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("program");
        fs::write(&path, format!("#!/bin/sh\n{words}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
        (folder, path)
    }

    /// Runs `words`; the code and the sentence of the failure.
    fn run(words: &str) -> Result<(), (Code, String)> {
        let (_folder, path) = program(words);
        apart(&path, &[]).map_err(|fault| (fault.code(), fault.to_string()))
    }

    #[test]
    fn what_a_program_complains_about_reaches_the_page() {
        let json = serde_json::to_string(&Fault::new(Code::NotAllowed, "no KVM", "x")).expect("");
        for (words, want) in [
            ("exit 0".to_owned(), Ok(())),
            ("exec sleep 2".to_owned(), Ok(())),
            (
                "echo 'error: it broke' >&2; echo 'try again' >&2; exit 1".to_owned(),
                Err((Code::CommandFailed, "it broke".to_owned())),
            ),
            (
                format!("echo odd >&2; echo '{json}' >&2; exit 3"),
                Err((Code::NotAllowed, "no KVM".to_owned())),
            ),
        ] {
            assert_eq!(run(&words), want, "{words}");
        }
        let gone = apart(Path::new("/nonexistent/program"), &[]).expect_err("not there");
        assert_eq!(gone.code(), Code::CommandMissing);
    }

    #[test]
    fn only_what_a_desktop_needs_is_handed_on() {
        let (folder, path) = program("env > \"$1\"");
        let seen = folder.path().join("seen");
        apart(&path, &[seen.to_str().expect("text")]).expect("started");
        let text = fs::read_to_string(seen).expect("written");
        // What the shell itself sets.
        let known = |name: &str| {
            HANDED_ON.contains(&name) || ["PWD", "_", "SHLVL", "OLDPWD"].contains(&name)
        };
        let names: Vec<_> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .collect();
        assert!(names.iter().any(|(name, _)| *name == "PATH"), "{text}");
        assert!(names.iter().all(|(name, _)| known(name)), "{text}");
    }

    #[test]
    fn a_complaint_without_end_does_not_block_it() {
        let (folder, path) = program("head -c 300000 /dev/zero >&2; touch \"$1\"");
        let over = folder.path().join("over");
        apart(&path, &[over.to_str().expect("text")]).expect("well");
        assert!(over.exists());
    }
}
