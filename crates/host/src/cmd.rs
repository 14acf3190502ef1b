//! A command as a value: build it, print it, compare it, then run it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::sandbox::Sandbox;

/// A program, its arguments, and the world in which it runs.
///
/// The environment starts empty but for [`Cmd::BASE_ENV`]; standard input is [`Cmd::input`]
/// or closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cmd {
    /// Looked up in the sandbox's `PATH` unless it has a slash.
    pub program: String,
    /// As the program gets them.
    pub args: Vec<String>,
    /// Beyond [`Cmd::BASE_ENV`]; wins over it.
    pub env: BTreeMap<String, String>,
    /// Where it runs; `None` is the build's own view of the machine.
    pub sandbox: Option<Sandbox>,
    /// Bytes for standard input.
    #[serde(with = "serde_bytes_as_text")]
    pub input: Vec<u8>,
    /// Whether standard output is data for [`Watch::bytes`](crate::Watch::bytes), not lines.
    pub binary_output: bool,
}

mod serde_bytes_as_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        bytes.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        Vec::deserialize(from)
    }
}

impl Cmd {
    /// What every command finds in its environment.
    pub const BASE_ENV: &[(&str, &str)] = &[
        (
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ),
        ("HOME", "/root"),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
    ];

    /// A command without arguments, in the build's own view of the machine.
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            sandbox: None,
            input: Vec::new(),
            binary_output: false,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I>(mut self, args: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Runs it in a sandbox.
    #[must_use]
    pub fn inside(mut self, sandbox: Sandbox) -> Self {
        self.sandbox = Some(sandbox);
        self
    }

    /// Gives it standard input.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Takes its standard output as bytes.
    #[must_use]
    pub fn binary_output(mut self) -> Self {
        self.binary_output = true;
        self
    }

    /// Everything that the process finds in its environment.
    pub fn full_env(&self) -> BTreeMap<String, String> {
        let mut env: BTreeMap<_, _> = Self::BASE_ENV
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        env.extend(self.env.clone());
        env
    }
}

/// One line that a shell would understand, with what matters of the sandbox in front.
impl fmt::Display for Cmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(sandbox) = &self.sandbox {
            write!(f, "[{}] ", sandbox.summary())?;
        }
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quote(value))?;
        }
        f.write_str(&quote(&self.program))?;
        for arg in &self.args {
            write!(f, " {}", quote(arg))?;
        }
        Ok(())
    }
}

/// Quotes a word for a POSIX shell; a plain word stays as it is.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+~".contains(c);
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('~') {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_so_that_a_shell_gives_them_back() {
        for word in [
            "plain",
            "",
            "two words",
            "it's",
            "$HOME",
            "a\"b",
            "~root",
            "line\nend",
            "`x`",
        ] {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quote(word))])
                .output()
                .expect("sh is everywhere");
            assert_eq!(String::from_utf8_lossy(&output.stdout), word);
        }
    }

    #[test]
    fn a_command_prints_its_environment_and_arguments() {
        let cmd = Cmd::new("apt-get").env("A", "x y").args(["install", "vim"]);
        assert_eq!(cmd.to_string(), "A='x y' apt-get install vim");
    }
}
