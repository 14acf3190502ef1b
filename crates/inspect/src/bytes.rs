//! Fixed-width numbers out of byte slices, `None` past the end.
//!
//! Every parser of this crate reads through these, so a short or lying file
//! can only ever become an error.

fn take<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// The byte at `at`.
pub(crate) fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// Little-endian 16 bit.
pub(crate) fn u16_le(bytes: &[u8], at: usize) -> Option<u16> {
    take(bytes, at).map(u16::from_le_bytes)
}

/// Little-endian 32 bit.
pub(crate) fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    take(bytes, at).map(u32::from_le_bytes)
}

/// Little-endian 64 bit.
pub(crate) fn u64_le(bytes: &[u8], at: usize) -> Option<u64> {
    take(bytes, at).map(u64::from_le_bytes)
}

/// Big-endian 32 bit (Apple's partition map).
pub(crate) fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    take(bytes, at).map(u32::from_be_bytes)
}

/// `len` bytes from `at`.
pub(crate) fn slice(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(len)?)
}

/// Text padded with blanks or NULs, control characters removed: these fields
/// are printed on terminals.
pub(crate) fn padded_text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end])
        .chars()
        .filter(|c| !c.is_control())
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// Lower-case hexadecimal, as checksum lists write it.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
        .map(char::from)
        .collect()
}

/// Whether `needle` occurs in `haystack`.
pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_read_past_the_end() {
        let bytes = [1, 2, 3, 4];
        assert_eq!(u16_le(&bytes, 2), Some(0x0403));
        assert_eq!(u32_be(&bytes, 0), Some(0x0102_0304));
        assert_eq!(u32_le(&bytes, 1), None);
        assert_eq!(u64_le(&bytes, usize::MAX), None);
        assert_eq!(slice(&bytes, 4, usize::MAX), None);
    }

    #[test]
    fn text_is_cut_at_nul_and_cleaned_of_escapes() {
        assert_eq!(padded_text(b"DEBIAN  \0junk"), "DEBIAN");
        assert_eq!(padded_text(b"a\x1b[31mb  "), "a[31mb");
        assert_eq!(hex(&[0x0f, 0xa0]), "0fa0");
    }
}
