//! Code page 437: the characters of a PC's own text font, which ISOLINUX draws with.

/// Characters of the bytes 0x80 to 0xFF, in order.
const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The byte of `c`, where the font has it and ISOLINUX would not take it as a command.
pub(crate) fn byte(c: char) -> Option<u8> {
    if matches!(c, ' '..='~') {
        return Some(c as u8);
    }
    let at = UPPER.chars().position(|known| known == c)?;
    u8::try_from(0x80 + at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_the_bytes_of_the_code_page() {
        let check = |c: char, want: Option<u8>| assert_eq!(byte(c), want, "{c}");
        check('A', Some(0x41));
        check('ü', Some(0x81));
        check('ß', Some(0xe1));
        check('│', Some(0xb3));
        check('\u{a0}', Some(0xff));
        check('\n', None);
        check('ł', None);
        check('漢', None);
    }
}
