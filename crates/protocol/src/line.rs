//! One JSON object per line, with a limit on its length.

use std::io::{self, BufRead, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

/// No line is longer, in bytes; a longer one is refused unread.
pub const MAX_LINE: u64 = 1 << 20;

/// Why a line could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The stream broke.
    #[error("the event stream broke")]
    Io(#[from] io::Error),
    /// Over [`MAX_LINE`].
    #[error("an event is longer than {MAX_LINE} bytes")]
    TooLong,
    /// Not what was expected. Also what a half-written last line of a journal is.
    #[error("a line of the event stream is not an event")]
    NotAnEvent(#[source] serde_json::Error),
}

/// Writes one value, such as an [`Event`](crate::Event), and its line end in a single `write`.
///
/// # Errors
///
/// When the stream breaks.
pub fn write(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
    line.push(b'\n');
    to.write_all(&line)
}

/// Reads the next value; `None` at the end.
///
/// # Errors
///
/// See [`LineError`]; after [`LineError::TooLong`] the stream is of no further use.
pub fn read<T: DeserializeOwned>(from: &mut impl BufRead) -> Result<Option<T>, LineError> {
    let mut line = Vec::new();
    from.by_ref()
        .take(MAX_LINE + 1)
        .read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.len() as u64 > MAX_LINE {
        return Err(LineError::TooLong);
    }
    serde_json::from_slice(&line)
        .map(Some)
        .map_err(LineError::NotAnEvent)
}

/// Makes text fit for a log line: control characters (but tab) become `\u{fffd}`, at most
/// 4,096 characters are kept.
pub fn clean(text: &str) -> String {
    text.chars()
        .take(4096)
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
