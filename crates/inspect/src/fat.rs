//! FAT12, FAT16 and FAT32, read-only: enough to list and read the files of
//! an EFI system partition image.
//!
//! Source: Microsoft FAT specification ("fatgen103").

use serde::Serialize;

use crate::bytes::{padded_text, slice, u8_at, u16_le, u32_le};
use crate::error::{InspectError, Structure};
use crate::source::ReadAt;

/// An allocation table is held in memory whole. 16 MiB describe more than
/// four million clusters, far beyond any EFI image.
const TABLE_LIMIT: u64 = 16 << 20;
/// Entries of one directory; the format's own limit.
const DIRECTORY_LIMIT: u64 = 65_536 * 32;
const DEPTH_LIMIT: usize = 16;

/// Width of an allocation table entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Width {
    /// Fewer than 4085 clusters.
    Fat12,
    /// Fewer than 65525 clusters.
    Fat16,
    /// More.
    Fat32,
}

/// A file of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FatFile {
    /// Path from the root, with long names where there are any.
    pub path: String,
    /// Length in bytes.
    pub size: u32,
    first_cluster: u32,
}

/// A FAT file system.
#[derive(Debug)]
pub struct Fat<'a> {
    source: &'a dyn ReadAt,
    width: Width,
    table: Vec<u8>,
    cluster_bytes: u64,
    data_start: u64,
    clusters: u32,
    root: Root,
    size: u64,
    volume_id: u32,
}

#[derive(Debug, Clone, Copy)]
enum Root {
    Fixed { start: u64, len: u64 },
    Cluster(u32),
}

impl<'a> Fat<'a> {
    /// Reads the boot sector and the allocation table.
    ///
    /// # Errors
    /// Damage, if the numbers do not describe a file system inside `source`.
    pub fn open(source: &'a dyn ReadAt) -> Result<Self, InspectError> {
        let boot = source
            .read_vec(0, 512)
            .map_err(InspectError::inside(Structure::EfiImage))?;
        Self::parse(source, &boot)?
            .ok_or_else(|| damaged("its boot sector does not describe a FAT file system"))
    }

    fn parse(source: &'a dyn ReadAt, boot: &[u8]) -> Result<Option<Self>, InspectError> {
        let field = |at| u16_le(boot, at).map_or(0, u64::from);
        let wide = |at| u32_le(boot, at).map_or(0, u64::from);
        let sector = field(11);
        let per_cluster = u64::from(boot[13]);
        let tables = u64::from(boot[16]);
        let table_sectors = if field(22) != 0 { field(22) } else { wide(36) };
        let sectors = if field(19) != 0 { field(19) } else { wide(32) };
        let sane = slice(boot, 510, 2) == Some(&[0x55, 0xaa])
            && [512, 1024, 2048, 4096].contains(&sector)
            && per_cluster.is_power_of_two()
            && (1..=2).contains(&tables)
            && field(14) != 0
            && table_sectors != 0;
        if !sane {
            return Ok(None);
        }
        let root_len = field(17) * 32;
        let table_start = field(14) * sector;
        let root_start = table_start + tables * table_sectors * sector;
        let data_start = root_start + root_len.next_multiple_of(sector);
        let Some(data) = (sectors * sector).checked_sub(data_start) else {
            return Ok(None);
        };
        // 32-bit sector counts keep the number of clusters below 2^32.
        let clusters = (data / (per_cluster * sector)) as u32;
        let width = match clusters {
            ..4085 => Width::Fat12,
            4085..65525 => Width::Fat16,
            65525.. => Width::Fat32,
        };
        let table_bytes = table_sectors * sector;
        if table_bytes > TABLE_LIMIT {
            return Err(InspectError::TooLarge {
                what: "the allocation table".to_owned(),
                limit: TABLE_LIMIT,
            });
        }
        let table = source.read_vec(table_start, table_bytes as usize);
        let (root, volume_id) = match width {
            Width::Fat12 | Width::Fat16 => (
                Root::Fixed {
                    start: root_start,
                    len: root_len,
                },
                wide(39),
            ),
            Width::Fat32 => (Root::Cluster(wide(44) as u32), wide(67)),
        };
        Ok(Some(Self {
            source,
            width,
            table: table.map_err(InspectError::inside(Structure::EfiImage))?,
            cluster_bytes: per_cluster * sector,
            data_start,
            clusters,
            root,
            size: sectors * sector,
            volume_id: volume_id as u32,
        }))
    }

    /// Width of its table.
    #[must_use]
    pub fn width(&self) -> Width {
        self.width
    }

    /// Length of the file system in bytes, as its boot sector says.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Volume serial number.
    #[must_use]
    pub fn volume_id(&self) -> u32 {
        self.volume_id
    }

    /// All files, sub-directories included.
    ///
    /// # Errors
    /// Damage in a directory or its cluster chain.
    pub fn files(&self) -> Result<Vec<FatFile>, InspectError> {
        let mut files = Vec::new();
        let root = match self.root {
            Root::Fixed { start, len } => self
                .source
                .read_vec(start, len as usize)
                .map_err(InspectError::inside(Structure::EfiImage))?,
            Root::Cluster(first) => self.chain(first, DIRECTORY_LIMIT)?,
        };
        let mut stack = vec![(String::new(), root, 0)];
        let mut directories = 0u32;
        while let Some((prefix, bytes, depth)) = stack.pop() {
            for entry in parse_directory(&bytes) {
                let path = format!("{prefix}{}", entry.name);
                if !entry.directory {
                    files.push(FatFile {
                        path,
                        size: entry.size,
                        first_cluster: entry.cluster,
                    });
                    continue;
                }
                directories += 1;
                if depth >= DEPTH_LIMIT || directories > self.clusters {
                    return Err(damaged("its directories form a loop"));
                }
                let content = self.chain(entry.cluster, DIRECTORY_LIMIT)?;
                stack.push((format!("{path}/"), content, depth + 1));
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// The content of `file`, at most `limit` bytes.
    ///
    /// # Errors
    /// Damage in its cluster chain, or [`InspectError::TooLarge`].
    pub fn read(&self, file: &FatFile, limit: u64) -> Result<Vec<u8>, InspectError> {
        if u64::from(file.size) > limit {
            return Err(InspectError::TooLarge {
                what: file.path.clone(),
                limit,
            });
        }
        if file.size == 0 {
            return Ok(Vec::new());
        }
        let mut bytes = self.chain(file.first_cluster, u64::from(file.size))?;
        if bytes.len() < file.size as usize {
            return Err(damaged(&format!(
                "{} is shorter than its directory entry says",
                file.path
            )));
        }
        bytes.truncate(file.size as usize);
        Ok(bytes)
    }

    /// Clusters from `first` on, until the chain ends or `want` bytes are read.
    fn chain(&self, first: u32, want: u64) -> Result<Vec<u8>, InspectError> {
        let mut bytes = Vec::new();
        let mut cluster = first;
        let mut steps = 0;
        while (bytes.len() as u64) < want {
            if cluster < 2 || cluster - 2 >= self.clusters || steps > self.clusters {
                return Err(damaged("a cluster chain leads nowhere"));
            }
            let start = self.data_start + u64::from(cluster - 2) * self.cluster_bytes;
            let content = self.source.read_vec(start, self.cluster_bytes as usize);
            bytes.extend(content.map_err(InspectError::inside(Structure::EfiImage))?);
            let Some(next) = self.next(cluster)? else {
                break;
            };
            cluster = next;
            steps += 1;
        }
        Ok(bytes)
    }

    /// The cluster after `cluster`, `None` at the end of its chain.
    fn next(&self, cluster: u32) -> Result<Option<u32>, InspectError> {
        let index = cluster as usize;
        let (value, end) = match self.width {
            Width::Fat12 => {
                let pair = u16_le(&self.table, index + index / 2);
                let value = pair.map(|pair| {
                    if index.is_multiple_of(2) {
                        pair & 0xfff
                    } else {
                        pair >> 4
                    }
                });
                (value.map(u32::from), 0xff8)
            }
            Width::Fat16 => (u16_le(&self.table, index * 2).map(u32::from), 0xfff8),
            Width::Fat32 => (
                u32_le(&self.table, index * 4).map(|v| v & 0x0fff_ffff),
                0x0fff_fff8,
            ),
        };
        let value = value.ok_or_else(|| damaged("its allocation table is too short"))?;
        Ok((value < end).then_some(value))
    }
}

#[derive(Debug)]
struct DirEntry {
    name: String,
    directory: bool,
    cluster: u32,
    size: u32,
}

fn parse_directory(bytes: &[u8]) -> Vec<DirEntry> {
    let mut entries = Vec::new();
    // Parts of a long name come last part first, before the short entry.
    let mut long: Vec<[u16; 13]> = Vec::new();
    for record in bytes.chunks_exact(32) {
        let attributes = record[11];
        match (record[0], attributes) {
            (0, _) => break,
            (0xe5, _) => long.clear(),
            (first, 0x0f) => {
                if first & 0x40 != 0 {
                    long.clear();
                }
                long.push(long_part(record));
            }
            (_, attributes) if attributes & 0x08 != 0 => long.clear(),
            (b'.', _) => long.clear(),
            (_, attributes) => {
                let name = if long.is_empty() {
                    short_name(record)
                } else {
                    long_name(&long)
                };
                long.clear();
                let high = u16_le(record, 20).map_or(0, u32::from);
                let low = u16_le(record, 26).map_or(0, u32::from);
                entries.push(DirEntry {
                    name,
                    directory: attributes & 0x10 != 0,
                    cluster: high << 16 | low,
                    size: u32_le(record, 28).unwrap_or(0),
                });
            }
        }
    }
    entries
}

fn long_part(record: &[u8]) -> [u16; 13] {
    const PLACES: [usize; 13] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
    PLACES.map(|at| u16_le(record, at).unwrap_or(0))
}

fn long_name(parts: &[[u16; 13]]) -> String {
    let units: Vec<u16> = parts
        .iter()
        .rev()
        .flatten()
        .copied()
        .take_while(|&unit| unit != 0)
        .collect();
    String::from_utf16_lossy(&units)
}

fn short_name(record: &[u8]) -> String {
    // Windows NT marks names that are wholly lower case here; mtools and
    // Linux do the same.
    let case = u8_at(record, 12).unwrap_or(0);
    let part = |bytes: &[u8], lower: bool| {
        let text = padded_text(bytes);
        if lower {
            text.to_ascii_lowercase()
        } else {
            text
        }
    };
    let stem = part(&record[..8], case & 0x08 != 0);
    let extension = part(&record[8..11], case & 0x10 != 0);
    if extension.is_empty() {
        stem
    } else {
        format!("{stem}.{extension}")
    }
}

fn damaged(detail: &str) -> InspectError {
    InspectError::damaged(Structure::EfiImage, detail)
}

#[cfg(test)]
#[path = "fat_tests.rs"]
mod tests;
