//! The order of Debian versions.

use std::cmp::Ordering;

/// Compares two versions as dpkg does.
///
/// The rules are those of the Debian Policy Manual, section 5.6.12: the epoch as a number, then
/// the upstream version, then the revision, each in alternating stretches of non-digits and
/// digits, where `~` sorts before everything, even the end, and letters before other characters.
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (Parts::of(left), Parts::of(right));
    numbers(left.epoch, right.epoch)
        .then_with(|| stretches(left.upstream, right.upstream))
        .then_with(|| stretches(left.revision, right.revision))
}

struct Parts<'a> {
    epoch: &'a [u8],
    upstream: &'a [u8],
    revision: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        let (epoch, rest) = version.split_once(':').unwrap_or(("", version));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self {
            epoch: epoch.as_bytes(),
            upstream: upstream.as_bytes(),
            revision: revision.as_bytes(),
        }
    }
}

fn stretches(mut left: &[u8], mut right: &[u8]) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let (words, rest) = cut(left, |byte| !byte.is_ascii_digit());
        let (other_words, other_rest) = cut(right, |byte| !byte.is_ascii_digit());
        let (digits, rest) = cut(rest, u8::is_ascii_digit);
        let (other_digits, other_rest) = cut(other_rest, u8::is_ascii_digit);
        let order = letters(words, other_words).then_with(|| numbers(digits, other_digits));
        if order.is_ne() {
            return order;
        }
        (left, right) = (rest, other_rest);
    }
    Ordering::Equal
}

fn cut(text: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !belongs(byte));
    text.split_at(end.unwrap_or(text.len()))
}

fn letters(left: &[u8], right: &[u8]) -> Ordering {
    let weight = |text: &[u8], at: usize| match text.get(at) {
        None => 0,
        Some(b'~') => -1,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    (0..left.len().max(right.len()))
        .map(|at| weight(left, at).cmp(&weight(right, at)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// As numbers of any length.
fn numbers(left: &[u8], right: &[u8]) -> Ordering {
    let significant = |digits| cut(digits, |byte| *byte == b'0').1;
    let (left, right) = (significant(left), significant(right));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_dpkg_orders_them() {
        for (left, right, want) in [
            ("1.0", "1.0", Ordering::Equal),
            ("1.0", "1.1", Ordering::Less),
            ("1.9", "1.10", Ordering::Less),
            ("1.0-1", "1.0-2", Ordering::Less),
            ("1.0-1", "1.0-1+b1", Ordering::Less),
            ("1.0-1+b1", "1.0-2", Ordering::Less),
            ("2:1.0", "1:9.9", Ordering::Greater),
            ("0:1.0", "1.0", Ordering::Equal),
            ("1.0~rc1", "1.0", Ordering::Less),
            ("1.0~~", "1.0~", Ordering::Less),
            ("1.0~~a", "1.0~", Ordering::Less),
            ("1.0~bpo13+1", "1.0", Ordering::Less),
            ("1.0+dfsg", "1.0", Ordering::Greater),
            ("1.0a", "1.0+", Ordering::Less),
            ("1.0a", "1.0b", Ordering::Less),
            ("1.007", "1.7", Ordering::Equal),
            ("1.0-0", "1.0", Ordering::Equal),
            ("1-2-3", "1-2-4", Ordering::Less),
            (
                "99999999999999999999",
                "100000000000000000000",
                Ordering::Less,
            ),
            ("", "1", Ordering::Less),
            ("3.5.4-1~deb13u2", "3.5.4-1~deb13u1", Ordering::Greater),
        ] {
            assert_eq!(compare(left, right), want, "{left} and {right}");
            assert_eq!(compare(right, left), want.reverse(), "{right} and {left}");
        }
    }
}
