//! Everything after the data: inodes, directories and the look-up tables.

use std::collections::HashMap;

use crate::SquashError;
use crate::codec::Codec;
use crate::directory::{self, Entry};
use crate::inode::{self, Head};
use crate::metadata::{MetadataWriter, Position, table};
use crate::output::Output;
use crate::pipeline::{Data, Layout};
use crate::superblock::ABSENT;
use crate::tree::{Directory, Inode, Kind, Tree};

/// Where the tables are, for the superblock.
#[derive(Debug)]
pub(crate) struct Places {
    pub root_inode: u64,
    pub ids: u16,
    pub inode_table: u64,
    pub directory_table: u64,
    pub fragment_table: u64,
    pub export_table: u64,
    pub id_table: u64,
    pub xattr_table: u64,
}

/// Writes all tables in the order in which the kernel expects them.
pub(crate) fn write(
    tree: &Tree,
    data: &Data,
    codec: &mut Codec,
    out: &mut Output<'_>,
) -> Result<Places, SquashError> {
    let mut builder = Builder {
        tree,
        data,
        codec,
        inodes: MetadataWriter::default(),
        directories: MetadataWriter::default(),
        positions: vec![Position::default(); tree.inodes.len()],
        written: vec![false; tree.inodes.len()],
        ids: Ids::default(),
    };
    builder.walk()?;
    let Builder {
        codec,
        inodes,
        directories,
        positions,
        ids,
        ..
    } = builder;
    let inode_table = out.position();
    out.append(&inodes.finish(codec)?)?;
    let directory_table = out.position();
    out.append(&directories.finish(codec)?)?;
    let mut fragments = Vec::new();
    for &(start, size) in &data.fragments {
        fragments.extend(start.to_le_bytes());
        fragments.extend(size.to_le_bytes());
        fragments.extend(0u32.to_le_bytes());
    }
    let fragment_table = append(out, codec, &fragments)?;
    let exported: Vec<u8> = positions
        .iter()
        .flat_map(|position| position.packed().to_le_bytes())
        .collect();
    let export_table = append(out, codec, &exported)?;
    let owners: Vec<u8> = ids.all.iter().flat_map(|id| id.to_le_bytes()).collect();
    let id_table = append(out, codec, &owners)?;
    let xattrs = tree.xattrs.encode(codec, out.position())?;
    let xattr_table = match xattrs {
        Some((bytes, header)) => {
            out.append(&bytes)?;
            header
        }
        None => ABSENT,
    };
    Ok(Places {
        // The root is the first inode found.
        root_inode: positions.first().copied().unwrap_or_default().packed(),
        ids: ids.all.len() as u16,
        inode_table,
        directory_table,
        fragment_table,
        export_table,
        id_table,
        xattr_table,
    })
}

/// Writes a table; the position is that of its list of pointers.
fn append(out: &mut Output<'_>, codec: &mut Codec, entries: &[u8]) -> Result<u64, SquashError> {
    let (blocks, pointers) = table(codec, entries, out.position())?;
    out.append(&blocks)?;
    let at = out.position();
    out.append(&pointers)?;
    Ok(at)
}

struct Builder<'a> {
    tree: &'a Tree,
    data: &'a Data,
    codec: &'a mut Codec,
    inodes: MetadataWriter,
    directories: MetadataWriter,
    /// Of the inodes.
    positions: Vec<Position>,
    written: Vec<bool>,
    ids: Ids,
}

impl Builder<'_> {
    /// Writes each directory after all that is in it, as it needs to name their
    /// positions.
    fn walk(&mut self) -> Result<(), SquashError> {
        // A directory with the next of its names.
        let mut stack = vec![(0, 0)];
        while let Some((index, next)) = stack.pop() {
            let inode = &self.tree.inodes[index];
            let Kind::Directory(directory) = &inode.kind else {
                self.write_other(index, inode)?;
                continue;
            };
            match directory.names.get(next) {
                Some(name) => {
                    stack.push((index, next + 1));
                    if !self.written[name.inode] {
                        stack.push((name.inode, 0));
                    }
                }
                None => self.write_directory(index, inode, directory)?,
            }
        }
        Ok(())
    }

    fn write_other(&mut self, index: usize, inode: &Inode) -> Result<(), SquashError> {
        let none = Layout::default();
        let layout = self.data.files.get(index).unwrap_or(&none);
        let bytes = inode::other(inode, self.head(index, inode)?, layout);
        self.place(index, &bytes)
    }

    fn write_directory(
        &mut self,
        index: usize,
        inode: &Inode,
        directory: &Directory,
    ) -> Result<(), SquashError> {
        let entries: Vec<Entry<'_>> = directory
            .names
            .iter()
            .map(|name| Entry {
                name: &name.name,
                inode: self.positions[name.inode],
                number: number(name.inode),
                basic_type: inode::basic_type(&self.tree.inodes[name.inode].kind),
            })
            .collect();
        let listing = directory::write(&mut self.directories, self.codec, &entries)?;
        // The root's parent is a number that no inode has, as mksquashfs does it.
        let parent = match index {
            0 => number(self.tree.inodes.len()),
            _ => number(directory.parent),
        };
        let bytes = inode::directory(inode, self.head(index, inode)?, parent, &listing)?;
        self.place(index, &bytes)
    }

    fn place(&mut self, index: usize, bytes: &[u8]) -> Result<(), SquashError> {
        self.positions[index] = self.inodes.position();
        self.written[index] = true;
        self.inodes.write(self.codec, bytes)
    }

    fn head(&mut self, index: usize, inode: &Inode) -> Result<Head, SquashError> {
        Ok(Head {
            number: number(index),
            uid: self.ids.place(inode.uid)?,
            gid: self.ids.place(inode.gid)?,
        })
    }
}

/// Numbers start at one; that there are no more than 2^32 was checked before.
fn number(index: usize) -> u32 {
    index as u32 + 1
}

/// User and group ids in the order in which they were met.
#[derive(Debug, Default)]
struct Ids {
    all: Vec<u32>,
    places: HashMap<u32, u16>,
}

impl Ids {
    fn place(&mut self, id: u32) -> Result<u16, SquashError> {
        if let Some(&place) = self.places.get(&id) {
            return Ok(place);
        }
        // The superblock counts them with 16 bits.
        if self.all.len() == usize::from(u16::MAX) {
            return Err(SquashError::Limit(
                "its files have more than 65535 different owners and groups".to_owned(),
            ));
        }
        let place = self.all.len() as u16;
        self.all.push(id);
        self.places.insert(id, place);
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_end_at_16_bits() {
        let mut ids = Ids::default();
        for id in 0..u32::from(u16::MAX) {
            assert_eq!(ids.place(id * 7).unwrap(), id as u16);
        }
        assert_eq!(ids.place(7).unwrap(), 1);
        let message = ids.place(3).unwrap_err().to_string();
        assert!(message.contains("65535 different owners"), "{message}");
    }
}
