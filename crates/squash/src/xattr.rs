//! Extended attributes: read from the tree, written as tables.

use std::collections::HashMap;
use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::PathBuf;

use rustix::io::Errno;

use crate::SquashError;
use crate::codec::Codec;
use crate::metadata::{MetadataWriter, table};

/// The kernel's limits on lists and values (`XATTR_LIST_MAX`, `XATTR_SIZE_MAX`).
const LIMIT: usize = 65_536;
/// Values longer than this are stored once and referred to, as mksquashfs does.
const INLINE_LIMIT: usize = 128;
/// Marks a value that is a reference (`SQUASHFS_XATTR_VALUE_OOL`).
const OUT_OF_LINE: u16 = 0x100;

/// One attribute; the prefix is the number that stands for it in the format.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Attribute {
    prefix: u16,
    name: Vec<u8>,
    value: Vec<u8>,
}

/// Prefixes that SquashFS 4.0 has (`SQUASHFS_XATTR_USER` and its neighbours).
const PREFIXES: [(&[u8], u16); 3] = [(b"user.", 0), (b"trusted.", 1), (b"security.", 2)];

/// The different sets of attributes in a tree.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    sets: Vec<Vec<Attribute>>,
    ids: HashMap<Vec<Attribute>, u32>,
    /// Attributes that the format cannot hold, such as POSIX access lists.
    pub lost: u64,
}

/// Where attributes are read; the buffers are kept from file to file.
pub(crate) struct XattrReader {
    names: Vec<u8>,
    value: Vec<u8>,
}

impl XattrReader {
    pub(crate) fn new() -> Self {
        Self {
            names: vec![0; LIMIT],
            value: vec![0; LIMIT],
        }
    }

    /// The number of the set of attributes that `name` in `directory` has.
    pub(crate) fn read(
        &mut self,
        directory: BorrowedFd<'_>,
        name: &CStr,
        sets: &mut Sets,
    ) -> Result<Option<u32>, Errno> {
        // There are no calls relative to a directory before Linux 6.13. The
        // descriptor in this path cannot lead elsewhere, and the last part is
        // not followed.
        let mut path = format!("/proc/self/fd/{}/", directory.as_raw_fd()).into_bytes();
        path.extend(name.to_bytes());
        let listed = match rustix::fs::llistxattr(path.as_slice(), &mut self.names[..]) {
            Ok(listed) => listed,
            Err(Errno::OPNOTSUPP) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for full in self.names[..listed].split(|&byte| byte == 0) {
            if full.is_empty() {
                continue;
            }
            let known = PREFIXES
                .iter()
                .find_map(|(prefix, number)| Some((*number, full.strip_prefix(*prefix)?)));
            let Some((prefix, short)) = known else {
                sets.lost += 1;
                continue;
            };
            match rustix::fs::lgetxattr(path.as_slice(), full, &mut self.value[..]) {
                Ok(length) => found.push(Attribute {
                    prefix,
                    name: short.to_vec(),
                    value: self.value[..length].to_vec(),
                }),
                // Listed by a filesystem below, hidden by the one above.
                Err(Errno::NODATA) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sets.number(found))
    }
}

impl Sets {
    fn number(&mut self, mut set: Vec<Attribute>) -> Option<u32> {
        if set.is_empty() {
            return None;
        }
        // Filesystems list attributes in any order.
        set.sort_by(|a, b| (a.prefix, &a.name).cmp(&(b.prefix, &b.name)));
        if let Some(&id) = self.ids.get(&set) {
            return Some(id);
        }
        let id = self.sets.len() as u32;
        self.sets.push(set.clone());
        self.ids.insert(set, id);
        Some(id)
    }

    /// The bytes of all tables for an image in which they start at `at`, and
    /// the position for the superblock; `None` without any attribute.
    pub(crate) fn encode(
        &self,
        codec: &mut Codec,
        at: u64,
    ) -> Result<Option<(Vec<u8>, u64)>, SquashError> {
        if self.sets.is_empty() {
            return Ok(None);
        }
        let mut pairs = MetadataWriter::default();
        let mut ids = Vec::new();
        let mut stored: HashMap<&[u8], u64> = HashMap::new();
        for set in &self.sets {
            let start = pairs.position().packed();
            let mut size = 0;
            for attribute in set {
                size += listed_length(attribute);
                write_pair(&mut pairs, codec, attribute, &mut stored)?;
            }
            ids.extend(start.to_le_bytes());
            ids.extend((set.len() as u32).to_le_bytes());
            ids.extend(size.to_le_bytes());
        }
        let mut bytes = pairs.finish(codec)?;
        let ids_at = at + bytes.len() as u64;
        let (blocks, pointers) = table(codec, &ids, ids_at)?;
        bytes.extend(blocks);
        let header_at = at + bytes.len() as u64;
        bytes.extend(at.to_le_bytes());
        bytes.extend((self.sets.len() as u32).to_le_bytes());
        bytes.extend(0u32.to_le_bytes());
        bytes.extend(pointers);
        Ok(Some((bytes, header_at)))
    }
}

/// What `listxattr` needs for this one: full name and a zero byte.
fn listed_length(attribute: &Attribute) -> u32 {
    let prefix = PREFIXES
        .iter()
        .find(|(_, number)| *number == attribute.prefix)
        .map_or(0, |(prefix, _)| prefix.len());
    (prefix + attribute.name.len() + 1) as u32
}

fn write_pair<'a>(
    pairs: &mut MetadataWriter,
    codec: &mut Codec,
    attribute: &'a Attribute,
    stored: &mut HashMap<&'a [u8], u64>,
) -> Result<(), SquashError> {
    let earlier = stored.get(attribute.value.as_slice()).copied();
    let kind = match earlier {
        Some(_) => attribute.prefix | OUT_OF_LINE,
        None => attribute.prefix,
    };
    pairs.write(codec, &kind.to_le_bytes())?;
    pairs.write(codec, &(attribute.name.len() as u16).to_le_bytes())?;
    pairs.write(codec, &attribute.name)?;
    if let Some(position) = earlier {
        pairs.write(codec, &8u32.to_le_bytes())?;
        return pairs.write(codec, &position.to_le_bytes());
    }
    if attribute.value.len() > INLINE_LIMIT {
        stored.insert(&attribute.value, pairs.position().packed());
    }
    pairs.write(codec, &(attribute.value.len() as u32).to_le_bytes())?;
    pairs.write(codec, &attribute.value)
}

/// Says which file it was.
pub(crate) fn trouble(path: PathBuf) -> impl Fn(Errno) -> SquashError {
    move |error| SquashError::Read {
        path: path.clone(),
        source: error.into(),
    }
}
