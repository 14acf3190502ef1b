//! The machine's mounts (proc_pid_mountinfo(5)).

use std::collections::{BTreeMap, BTreeSet};

/// What tells one mount from every other. The number alone would not do: it is used again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    point: String,
    number: u32,
    device: String,
    root: String,
}

/// Every mount of a mount namespace, with its options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mounts(BTreeMap<Key, String>);

/// What became of a mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where it is mounted.
    pub point: String,
    /// In one sentence.
    pub cause: String,
}

impl Mounts {
    /// Reads `mountinfo`; lines that are not as the manual says are passed over.
    pub fn parse(text: &str) -> Self {
        Self(text.lines().filter_map(line).collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What is different in `later`, in the order of mount points.
    pub fn compare(&self, later: &Self) -> Vec<Difference> {
        let only = |these: &Self, others: &Self| -> BTreeSet<String> {
            let keys = these.0.keys().filter(|key| !others.0.contains_key(*key));
            keys.map(|key| key.point.clone()).collect()
        };
        let (gone, new) = (only(self, later), only(later, self));
        let moved = gone.union(&new).map(|point| {
            let became = match (gone.contains(point), new.contains(point)) {
                (true, true) => "was unmounted and mounted again",
                (true, false) => "vanished",
                (false, _) => "appeared",
            };
            Difference {
                point: point.clone(),
                cause: format!("mount {point} {became}"),
            }
        });
        let changed = self.0.iter().filter_map(|(key, before)| {
            let now = later.0.get(key).filter(|now| *now != before)?;
            Some(Difference {
                point: key.point.clone(),
                cause: format!("mount {} has other options: {before} → {now}", key.point),
            })
        });
        let mut found: Vec<_> = moved.chain(changed).collect();
        found.sort_by(|one, other| one.point.cmp(&other.point));
        found
    }
}

fn line(line: &str) -> Option<(Key, String)> {
    let mut fields = line.split(' ');
    let number = fields.next()?.parse().ok()?;
    let device = fields.nth(1)?.to_owned();
    let root = plain(fields.next()?);
    let point = plain(fields.next()?);
    let options = fields.next()?.to_owned();
    Some((
        Key {
            point,
            number,
            device,
            root,
        },
        options,
    ))
}

/// Undoes the kernel's octal escapes of space, tab, line end and backslash.
fn plain(field: &str) -> String {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                Some((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'))
            }
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &rest[4..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n";

    #[test]
    fn what_came_and_went_is_named_by_its_mount_point() {
        let usb = "90 27 8:17 / /media/ada/MY\\040STICK rw,nosuid - vfat /dev/sdb1 rw\n";
        let read_only = ROOT.replace("rw,relatime", "ro,relatime");
        let again = usb.replace("90 27", "95 27");
        // Propagation is nobody's harm by itself.
        let private = ROOT.replace("shared:1 ", "");
        for (before, after, want) in [
            ("", "", &[][..]),
            ("", usb, &["mount /media/ada/MY STICK appeared"]),
            (usb, "", &["mount /media/ada/MY STICK vanished"]),
            (
                usb,
                &again,
                &["mount /media/ada/MY STICK was unmounted and mounted again"],
            ),
            ("nonsense\n", "more nonsense", &[]),
        ] {
            let one = Mounts::parse(&format!("{ROOT}{before}"));
            let other = Mounts::parse(&format!("{ROOT}{after}"));
            let causes: Vec<_> = one.compare(&other).into_iter().map(|it| it.cause).collect();
            assert_eq!(causes, want, "{before:?} {after:?}");
        }
        let root = Mounts::parse(ROOT);
        assert_eq!(root.compare(&Mounts::parse(&private)), []);
        assert_eq!(
            root.compare(&Mounts::parse(&read_only))[0].cause,
            "mount / has other options: rw,relatime → ro,relatime"
        );
    }

    #[test]
    fn escapes_of_the_kernel_are_undone() {
        for (field, want) in [
            ("/plain", "/plain"),
            ("/a\\040b", "/a b"),
            ("/a\\134b", "/a\\b"),
            ("/a\\04", "/a\\04"),
            ("/ä\\011", "/ä\t"),
            ("\\", "\\"),
        ] {
            assert_eq!(plain(field), want, "{field}");
        }
    }
}
