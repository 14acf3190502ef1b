//! As much of DER (ITU-T X.690) as walking a certificate needs.

/// One element: its tag, its content, and its bytes with the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    pub whole: &'a [u8],
}

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// `[0]`, constructed.
pub(crate) const CONTEXT_0: u8 = 0xa0;

/// The first element of `bytes` and what follows it.
pub(crate) fn first(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    // Multi-byte tags do not occur in certificates.
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (&short, rest) = rest.split_first()?;
    let (len, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            (
                digits
                    .iter()
                    .fold(0usize, |len, &digit| len << 8 | usize::from(digit)),
                rest,
            )
        }
        // Indefinite lengths are BER, not DER.
        0x80 | 0x85.. => return None,
    };
    let (content, after) = rest.split_at_checked(len)?;
    let whole = &bytes[..bytes.len() - after.len()];
    Some((
        Element {
            tag,
            content,
            whole,
        },
        after,
    ))
}

/// The elements of `bytes`, up to the first that is malformed.
pub(crate) fn children(bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (element, after) = first(rest)?;
        rest = after;
        Some(element)
    })
}

/// The first element if it has the tag.
pub(crate) fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    first(bytes)
        .filter(|(element, _)| element.tag == tag)
        .map(|(element, rest)| (element.content, rest))
}

/// The common name (2.5.4.3) in an X.501 Name's content.
pub(crate) fn common_name(name: &[u8]) -> Option<String> {
    const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
    children(name)
        .flat_map(|set| children(set.content))
        .find_map(|attribute| {
            let (oid, value) = expect(attribute.content, OID)?;
            let (value, _) = (oid == COMMON_NAME).then(|| first(value)).flatten()?;
            let text = match value.tag {
                // BMPString: big-endian UCS-2.
                0x1e => {
                    let units: Vec<u16> = value
                        .content
                        .chunks_exact(2)
                        .map(|c| u16::from_be_bytes([c[0], c[1]]))
                        .collect();
                    String::from_utf16_lossy(&units)
                }
                _ => String::from_utf8_lossy(value.content).into_owned(),
            };
            Some(text.chars().filter(|c| !c.is_control()).collect())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Option<(u8, usize)>) {
        assert_eq!(
            first(bytes).map(|(e, _)| (e.tag, e.content.len())),
            expected,
            "{bytes:02x?}"
        );
    }

    #[test]
    fn lengths() {
        check(&[0x04, 0x02, 1, 2, 3], Some((4, 2)));
        check(&[0x30, 0x81, 0x01, 9], Some((0x30, 1)));
        check(&[0x30, 0x82, 0x00, 0x01, 9], Some((0x30, 1)));
        check(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], None);
        check(&[0x30, 0x80, 0, 0], None);
        check(&[0x30, 0x05, 1], None);
        check(&[0x1f, 0x01, 0x00], None);
        check(&[0x30], None);
        check(&[], None);
    }

    #[test]
    fn common_names_in_both_spellings() {
        let utf8 = [
            0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x02, b'M', b'S',
        ];
        assert_eq!(common_name(&utf8).as_deref(), Some("MS"));
        let bmp = [
            0x31, 0x0d, 0x30, 0x0b, 0x06, 0x03, 0x55, 0x04, 0x03, 0x1e, 0x04, 0, b'M', 0, b'S',
        ];
        assert_eq!(common_name(&bmp).as_deref(), Some("MS"));
        let country = [
            0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x0c, 0x02, b'U', b'S',
        ];
        assert_eq!(common_name(&country), None);
    }
}
