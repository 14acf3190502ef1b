//! Between the window and its renderer: a length, JSON, and bytes that the JSON announces.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Scene, model::PreviewWarning};

/// No JSON is longer, in bytes.
const MOST_JSON: u32 = 1 << 20;

/// No picture file is larger, in bytes; what `isosmith_branding::Limits` allow.
pub(super) const MOST_FILE: u64 = 20 << 20;

/// No drawn picture is larger, in bytes: 3840 x 2160 in four channels, not compressed at all.
const MOST_PNG: u64 = 40 << 20;

/// What is to be drawn.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ask {
    pub(super) scene: Scene,
    /// By the scene's fields; a picture that was sent before is not sent again.
    pub(super) pictures: Vec<Sent>,
}

/// A picture file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sent {
    /// The scene's field: `branding.logo`.
    pub(super) field: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub(super) hash: String,
    /// How many bytes follow; `None` if it should be known.
    pub(super) bytes: Option<u64>,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(super) enum Answer {
    /// A picture of this many bytes follows.
    Drawn {
        png: u64,
        warnings: Vec<PreviewWarning>,
    },
    /// A picture is not known any more: ask again and send it.
    Missing,
}

pub(super) fn write(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len()).map_err(io::Error::other)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&json)
}

/// The next message; `None` at the end of the stream.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    if from.read(&mut length[..1])? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut length[1..])?;
    let length = u32::from_le_bytes(length);
    if length > MOST_JSON {
        return Err(io::Error::other("a message is too long"));
    }
    let json = read_bytes(from, u64::from(length), u64::from(MOST_JSON))?;
    serde_json::from_slice(&json).map(Some).map_err(Into::into)
}

/// Exactly `length` bytes.
pub(super) fn read_bytes(from: &mut impl Read, length: u64, most: u64) -> io::Result<Vec<u8>> {
    if length > most {
        return Err(io::Error::other("a picture is too large"));
    }
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The picture after [`Answer::Drawn`].
pub(super) fn read_png(from: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    read_bytes(from, length, MOST_PNG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_lengths_are_refused_before_memory_is_taken() {
        let refused = |bytes: &[u8]| {
            let mut bytes = bytes;
            read::<Answer>(&mut bytes).is_err()
        };
        assert!(refused(&u32::MAX.to_le_bytes()));
        assert!(refused(&[5, 0, 0, 0, b'{']), "cut short");
        assert!(refused(&[2, 0]), "cut in the length");
        assert!(refused(b"\x02\0\0\0[]"), "not an answer");
        assert!(read::<Answer>(&mut &b""[..]).unwrap().is_none());
        assert!(read_png(&mut &b"x"[..], u64::MAX).is_err());
    }
}
