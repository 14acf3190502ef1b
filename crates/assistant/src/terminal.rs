//! The person, wherever the text comes from and goes to.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
};

use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

use crate::failure::{Exit, Failure};

/// The terminal that the program was started from; standard input and output may be pipes.
#[derive(Debug)]
pub struct Terminal {
    input: BufReader<File>,
    output: File,
}

impl Terminal {
    /// `None` when there is nobody to ask.
    pub fn open() -> Option<Self> {
        let input = File::open("/dev/tty").ok()?;
        let output = File::options().write(true).open("/dev/tty").ok()?;
        Some(Self {
            input: BufReader::new(input),
            output,
        })
    }

    /// Shows text.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn say(&mut self, text: &str) -> Result<(), Failure> {
        self.output
            .write_all(text.as_bytes())
            .map_err(|error| gone(&error))
    }

    /// Shows a prompt and reads a line; `None` at the end of the input.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn ask(&mut self, prompt: &str) -> Result<Option<String>, Failure> {
        self.say(prompt)?;
        let mut line = Vec::new();
        let count = self
            .input
            .read_until(b'\n', &mut line)
            .map_err(|error| gone(&error))?;
        if count == 0 {
            self.say("\n")?;
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&line).trim().to_owned()))
    }

    /// The same without showing what is typed.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn ask_hidden(&mut self, prompt: &str) -> Result<Option<String>, Failure> {
        let failed = |error: nix::Error| gone(&error.into());
        let shown = tcgetattr(self.input.get_ref()).map_err(failed)?;
        let mut hidden = shown.clone();
        hidden.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(self.input.get_ref(), SetArg::TCSAFLUSH, &hidden).map_err(failed)?;
        let answer = self.ask(prompt);
        tcsetattr(self.input.get_ref(), SetArg::TCSAFLUSH, &shown).map_err(failed)?;
        self.say("\n")?;
        answer
    }
}

fn gone(error: &io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("the terminal cannot be used: {error}"),
        "",
    )
}

/// Writes to standard output at once.
///
/// # Errors
///
/// When it cannot be written; whoever reads it may have had enough.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| {
            let unheard = error.kind() == io::ErrorKind::BrokenPipe;
            let exit = if unheard { Exit::Unheard } else { Exit::Failed };
            let message = format!("the answer cannot be written: {error}");
            Failure::new(exit, message, "")
        })
}

/// Writes a line to standard error.
pub fn note(text: &str) {
    // There is nowhere left to say that it failed.
    let _ = writeln!(io::stderr(), "{text}");
}
