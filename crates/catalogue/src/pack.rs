//! An index as bytes: what makes the second opening fast.
//!
//! A header (magic, key, counts), the rows, the text, and the SHA-256 of all before. Numbers are
//! little-endian. What is damaged, or of another format, is no index.

use sha2::{Digest, Sha256};

use crate::index::{FIELDS, Index, Priority, Row, Span};

/// Changes whenever the format, or what is read from lists, does.
const MAGIC: &[u8; 8] = b"isocat01";

const KEY: usize = 32;
const HEADER: usize = 8 + KEY + 4 + 4;
const ROW: usize = FIELDS * 8 + 4 + 8 + 1 + 1;
const SUM: usize = 32;

/// What an index was made from.
pub(crate) type Key = [u8; KEY];

/// The key for everything that `inputs` says.
pub(crate) fn key(inputs: &str) -> Key {
    Sha256::digest(inputs).into()
}

pub(crate) fn write(index: &Index, key: &Key) -> Vec<u8> {
    let (rows, text) = (index.rows(), index.text().as_bytes());
    let mut bytes = Vec::with_capacity(HEADER + rows.len() * ROW + text.len() + SUM);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(key);
    // Builders keep both below 4 GiB.
    for count in [rows.len(), text.len()] {
        bytes.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    }
    for row in rows {
        for span in &row.spans {
            bytes.extend_from_slice(&span.start.to_le_bytes());
            bytes.extend_from_slice(&span.len.to_le_bytes());
        }
        bytes.extend_from_slice(&row.installed.to_le_bytes());
        bytes.extend_from_slice(&row.download.to_le_bytes());
        bytes.push(row.priority as u8);
        bytes.push(u8::from(row.base));
    }
    bytes.extend_from_slice(text);
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// The index and its key, if `bytes` are a whole one.
pub(crate) fn read(bytes: &[u8]) -> Option<(Index, Key)> {
    let (body, sum) = bytes.split_last_chunk::<SUM>()?;
    let mut reader = Reader { rest: body };
    if reader.take::<8>()? != *MAGIC {
        return None;
    }
    let key = reader.take::<KEY>()?;
    let rows = u32::from_le_bytes(reader.take()?) as usize;
    let length = u32::from_le_bytes(reader.take()?) as usize;
    let expected = rows.checked_mul(ROW)?.checked_add(length)?;
    if reader.rest.len() != expected || Sha256::digest(body)[..] != sum[..] {
        return None;
    }
    let rows = (0..rows)
        .map(|_| reader.row())
        .collect::<Option<Vec<Row>>>()?;
    let text = String::from_utf8(reader.rest.to_vec()).ok()?;
    Some((Index::new(text, rows), key))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    fn row(&mut self) -> Option<Row> {
        let mut spans = [Span::default(); FIELDS];
        for span in &mut spans {
            span.start = u32::from_le_bytes(self.take()?);
            span.len = u32::from_le_bytes(self.take()?);
        }
        Some(Row {
            spans,
            installed: u32::from_le_bytes(self.take()?),
            download: u64::from_le_bytes(self.take()?),
            priority: *Priority::ALL.get(usize::from(self.take::<1>()?[0]))?,
            base: self.take::<1>()?[0] == 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::{Builder, Standing};

    fn packed() -> Vec<u8> {
        let mut builder = Builder::default();
        let standing = Standing {
            base: true,
            automatic: true,
            preferred: &[],
        };
        let list = "Package: b\nVersion: 2\nInstalled-Size: 7\nSize: 900\nPriority: required\n\
                    Provides: c\n\nPackage: a\nVersion: 1\nDescription: Größe\n";
        builder.add(list.as_bytes(), standing).expect("a list");
        write(&builder.finish(), &key("x"))
    }

    #[test]
    fn an_index_survives() {
        let bytes = packed();
        let (index, found) = read(&bytes).expect("an index");
        assert_eq!(found, key("x"));
        assert_eq!(write(&index, &found), bytes);
        assert_eq!(index.find("b"), Some(1));
        assert!(index.row(1).base);
    }

    #[test]
    fn a_damaged_one_is_none() {
        let good = packed();
        for length in 0..good.len() {
            assert!(read(&good[..length]).is_none(), "{length} bytes");
        }
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            // The key alone may be another one; then the sum is wrong all the same.
            assert!(read(&bytes).is_none(), "byte {at}");
        }
    }
}
