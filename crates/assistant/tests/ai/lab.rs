//! A person's home, a server, and the program between them.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use crate::server::Server;

/// How long a test waits before it says that something does not come.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Lab {
    pub home: tempfile::TempDir,
    pub server: Server,
}

/// What a program did where nobody can be asked.
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Lab {
    pub fn new(interface: &str) -> Self {
        let lab = Self {
            home: tempfile::tempdir().expect("a temporary folder"),
            server: Server::start(),
        };
        let address = lab.server.address.clone();
        lab.configure(&format!(
            "interface = \"{interface}\"\nendpoint = \"{address}\"\nmodel = \"m\"\n"
        ));
        lab
    }

    /// One whose person has agreed to the server.
    pub fn agreed(interface: &str) -> Self {
        let lab = Self::new(interface);
        lab.agree(&lab.server.address);
        lab
    }

    pub fn config(&self) -> PathBuf {
        self.home.path().join(".config/isosmith-ai/config.toml")
    }

    pub fn consent(&self) -> PathBuf {
        self.home
            .path()
            .join(".local/state/isosmith-ai/agreed.toml")
    }

    pub fn configure(&self, text: &str) {
        write(&self.config(), text);
    }

    pub fn agree(&self, endpoint: &str) {
        write(
            &self.consent(),
            &format!("[[agreed]]\nendpoint = \"{endpoint}\"\n"),
        );
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.home.path())
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts the program in a session without a terminal.
    pub fn start(&self, args: &[&str]) -> Child {
        self.command("setsid")
            .args(["--wait", env!("CARGO_BIN_EXE_ai")])
            .args(args)
            .spawn()
            .expect("started")
    }

    /// Runs the program in a session without a terminal.
    pub fn run(&self, args: &[&str], piped: &[u8]) -> Done {
        self.run_with(args, piped, &[])
    }

    pub fn run_with(&self, args: &[&str], piped: &[u8], env: &[(&str, &str)]) -> Done {
        let mut child = self
            .command("setsid")
            .args(["--wait", env!("CARGO_BIN_EXE_ai")])
            .args(args)
            .envs(env.iter().copied())
            .spawn()
            .expect("started");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A program that refuses before it reads is fine.
        let _ = stdin.write_all(piped);
        drop(stdin);
        child.wait_with_output().expect("ended").into()
    }

    /// Runs a shell's line on a terminal of its own; `$ai` stands for the program.
    pub fn on_a_terminal(&self, line: &str) -> Typist {
        let mut child = self
            .command("script")
            .args(["--quiet", "--return", "--command", line, "/dev/null"])
            .env("ai", env!("CARGO_BIN_EXE_ai"))
            .spawn()
            .expect("started");
        let mut out = child.stdout.take().expect("a pipe");
        let (sender, shown) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Typist {
            stdin: child.stdin.take().expect("a pipe"),
            child,
            shown,
            seen: String::new(),
            from: 0,
        }
    }
}

fn write(path: &std::path::Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, text).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("private");
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Done {
    #[track_caller]
    pub fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        for words in words {
            assert!(self.err.contains(words), "no {words:?} in {}", self.err);
        }
    }

    #[track_caller]
    pub fn went_well(&self) -> &str {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        &self.out
    }
}

/// Somebody at a terminal.
pub struct Typist {
    child: Child,
    stdin: ChildStdin,
    shown: Receiver<Vec<u8>>,
    seen: String,
    /// Where the next look begins.
    from: usize,
}

impl Typist {
    /// Waits until `words` stand there, after those of the last time.
    #[track_caller]
    pub fn sees(&mut self, words: &str) -> &mut Self {
        loop {
            if let Some(at) = self.seen[self.from..].find(words) {
                self.from += at + words.len();
                return self;
            }
            match self.shown.recv_timeout(PATIENCE) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("no {words:?} in:\n{}", self.seen),
            }
        }
    }

    pub fn types(&mut self, keys: &str) -> &mut Self {
        self.stdin.write_all(keys.as_bytes()).expect("typed");
        self.stdin.flush().expect("typed");
        self
    }

    /// Everything that stood there, and the exit status.
    pub fn ends(mut self) -> (Option<i32>, String) {
        while let Ok(bytes) = self.shown.recv_timeout(PATIENCE) {
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        let status = self.child.wait().expect("ended");
        (status.code(), self.seen)
    }
}
