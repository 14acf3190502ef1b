//! QEMU's control protocol: JSON lines over a socket (docs/interop/qmp-spec).

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::keys::Key;
use crate::process::Guard;

/// Under emulation on a busy machine a picture may take seconds.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// QEMU opens its socket before the guest starts.
const CONNECT_TIME: Duration = Duration::from_secs(20);

/// What QEMU answered instead of doing it, or why there was no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QmpError {
    #[error("no connection to QEMU: {0}")]
    Io(#[from] std::io::Error),
    #[error("QEMU ended before it could be spoken to")]
    Ended,
    #[error("QEMU said something that is not its protocol: {0}")]
    Protocol(String),
    #[error("QEMU refused: {0}")]
    Refused(String),
}

#[derive(Debug)]
pub(crate) struct Qmp {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
}

impl Qmp {
    /// Connects to the socket of a QEMU that has just been started.
    pub(crate) fn connect(path: &Path, guard: &mut Guard) -> Result<Self, QmpError> {
        let end = Instant::now() + CONNECT_TIME;
        let stream = loop {
            match UnixStream::connect(path) {
                Ok(stream) => break stream,
                Err(_) if guard.ended().is_some() => return Err(QmpError::Ended),
                Err(error) if Instant::now() > end => return Err(error.into()),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        Self::greet(stream)
    }

    fn greet(stream: UnixStream) -> Result<Self, QmpError> {
        stream.set_read_timeout(Some(ANSWER_TIME))?;
        stream.set_write_timeout(Some(ANSWER_TIME))?;
        let mut qmp = Self {
            writer: stream.try_clone()?,
            reader: BufReader::new(stream),
        };
        let greeting = qmp.line()?;
        if greeting.get("QMP").is_none() {
            return Err(QmpError::Protocol(greeting.to_string()));
        }
        qmp.execute("qmp_capabilities", json!({}))?;
        Ok(qmp)
    }

    /// Asks and waits for the answer; events in between are dropped.
    pub(crate) fn execute(&mut self, command: &str, arguments: Value) -> Result<Value, QmpError> {
        let mut request = json!({ "execute": command, "arguments": arguments }).to_string();
        request.push('\n');
        self.writer.write_all(request.as_bytes())?;
        loop {
            let answer = self.line()?;
            if let Some(value) = answer.get("return") {
                return Ok(value.clone());
            }
            if let Some(error) = answer.get("error") {
                let text = error
                    .get("desc")
                    .and_then(Value::as_str)
                    .unwrap_or("no reason given");
                return Err(QmpError::Refused(text.to_owned()));
            }
        }
    }

    /// Writes the screen to `path` in the default format, PPM.
    pub(crate) fn screendump_ppm(&mut self, path: &Path) -> Result<(), QmpError> {
        self.execute("screendump", json!({ "filename": path }))
            .map(drop)
    }

    /// Writes the screen to `path` as PNG; QEMU knows that since 7.1.
    pub(crate) fn screendump_png(&mut self, path: &Path) -> Result<(), QmpError> {
        self.execute("screendump", json!({ "filename": path, "format": "png" }))
            .map(drop)
    }

    /// Presses and releases one key after the other.
    pub(crate) fn press(&mut self, keys: &[Key]) -> Result<(), QmpError> {
        for key in keys {
            let codes: Vec<Value> = key
                .codes()
                .iter()
                .map(|code| json!({ "type": "qcode", "data": code }))
                .collect();
            self.execute("send-key", json!({ "keys": codes, "hold-time": 60 }))?;
            // send-key returns at once; the next key must not overtake.
            std::thread::sleep(Duration::from_millis(120));
        }
        Ok(())
    }

    /// Asks QEMU to end. It may do so before it answers.
    pub(crate) fn quit(&mut self) {
        let _ = self.execute("quit", json!({}));
    }

    fn line(&mut self) -> Result<Value, QmpError> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(QmpError::Ended);
        }
        serde_json::from_str(&line).map_err(|_| QmpError::Protocol(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says `lines`, whatever it hears.
    fn check(lines: &'static str, expected: Result<Value, &str>) {
        let (here, mut there) = UnixStream::pair().unwrap();
        there.write_all(lines.as_bytes()).unwrap();
        let found = Qmp::greet(here).and_then(|mut qmp| {
            there.shutdown(std::net::Shutdown::Write).unwrap();
            qmp.execute("query-status", json!({}))
        });
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(found), Err(expected)) => assert!(found.to_string().contains(expected), "{found}"),
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn answers_events_and_refusals() {
        check(
            "{\"QMP\":{}}\n{\"return\":{}}\n{\"event\":\"RESET\"}\n{\"return\":7}\n",
            Ok(json!(7)),
        );
        check(
            "{\"QMP\":{}}\n{\"return\":{}}\n{\"error\":{\"desc\":\"no screen\"}}\n",
            Err("no screen"),
        );
        check("{\"QMP\":{}}\n{\"return\":{}}\n", Err("ended"));
        check("hello\n", Err("hello"));
        check("{\"return\":{}}\n", Err("not its protocol"));
    }
}
