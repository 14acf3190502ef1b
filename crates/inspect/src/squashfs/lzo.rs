//! LZO1X decompression, written from the kernel's `Documentation/staging/lzo.rst`.
//!
//! The crates for it panic on forged input; every read and copy here is
//! checked and the output never grows past its limit.

struct Stream<'a> {
    input: &'a [u8],
    output: Vec<u8>,
    limit: usize,
}

/// The content of one block; `None` if it is malformed or longer than `limit`.
pub(super) fn decompress(input: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut stream = Stream {
        input,
        output: Vec::new(),
        limit,
    };
    // How many literals the last instruction copied, four for "four or more".
    let mut state = 0;
    if let Some(&first) = input.first().filter(|&&first| first > 17) {
        stream.byte()?;
        let count = usize::from(first) - 17;
        stream.literals(count)?;
        state = count.min(4);
    }
    loop {
        let code = stream.byte()?;
        let low = usize::from(code);
        let (distance, length, after) = match code {
            0..16 if state == 0 => {
                let count = 3 + if low == 0 {
                    stream.long_length(15)?
                } else {
                    low
                };
                stream.literals(count)?;
                state = 4;
                continue;
            }
            0..16 => {
                let high = usize::from(stream.byte()?) << 2;
                let (base, length) = if state == 4 { (2049, 3) } else { (1, 2) };
                (high + (low >> 2) + base, length, low & 3)
            }
            16..32 => {
                let length = 2 + if low & 7 == 0 {
                    stream.long_length(7)?
                } else {
                    low & 7
                };
                let pair = stream.pair()?;
                let distance = 16_384 + ((low & 8) << 11) + (pair >> 2);
                if distance == 16_384 {
                    return Some(stream.output);
                }
                (distance, length, pair & 3)
            }
            32..64 => {
                let length = 2 + if low & 31 == 0 {
                    stream.long_length(31)?
                } else {
                    low & 31
                };
                let pair = stream.pair()?;
                ((pair >> 2) + 1, length, pair & 3)
            }
            64.. => {
                let high = usize::from(stream.byte()?) << 3;
                (high + (low >> 2 & 7) + 1, (low >> 5) + 1, low & 3)
            }
        };
        stream.copy(distance, length)?;
        stream.literals(after)?;
        state = after;
    }
}

impl Stream<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.input.split_first()?;
        self.input = rest;
        Some(byte)
    }

    fn pair(&mut self) -> Option<usize> {
        Some(usize::from(u16::from_le_bytes([
            self.byte()?,
            self.byte()?,
        ])))
    }

    /// Each zero adds 255, the first other byte ends the number.
    fn long_length(&mut self, base: usize) -> Option<usize> {
        let mut sum = base;
        loop {
            let byte = self.byte()?;
            if byte != 0 {
                return Some(sum + usize::from(byte));
            }
            sum += 255;
        }
    }

    fn literals(&mut self, count: usize) -> Option<()> {
        self.room(count)?;
        let (bytes, rest) = self.input.split_at_checked(count)?;
        self.output.extend_from_slice(bytes);
        self.input = rest;
        Some(())
    }

    /// Byte by byte: the source may overlap what is being written.
    fn copy(&mut self, distance: usize, length: usize) -> Option<()> {
        self.room(length)?;
        let start = self.output.len().checked_sub(distance)?;
        for at in start..start + length {
            let byte = *self.output.get(at)?;
            self.output.push(byte);
        }
        Some(())
    }

    fn room(&self, count: usize) -> Option<()> {
        (count <= self.limit - self.output.len()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: [u8; 3] = [0x11, 0, 0];

    fn check(input: &[u8], limit: usize, expected: Option<&[u8]>) {
        let input = [input, &END[..]].concat();
        assert_eq!(
            decompress(&input, limit).as_deref(),
            expected,
            "{input:02x?}"
        );
    }

    #[test]
    fn instructions() {
        check(&[17 + 4, b'a', b'b', b'c', b'd'], 10, Some(b"abcd"));
        check(&[1, b'a', b'b', b'c', b'd'], 10, Some(b"abcd"));
        // Three bytes from two back, then one literal.
        check(
            &[21, b'a', b'b', b'c', b'd', 0x45, 0, b'!'],
            10,
            Some(b"abcdcdc!"),
        );
        // The long form: 2 + 31 + 1 bytes from one back.
        check(
            &[21, b'a', b'b', b'c', b'd', 32, 1, 0, 0],
            40,
            Some(&[&b"abc"[..], &[b'd'; 35]].concat()),
        );
        check(&[21, b'a', b'b', b'c', b'd', 32, 1, 0, 0], 20, None);
        check(&[21, b'a', b'b', b'c', b'd', 0x5c, 0], 10, None);
        check(&[21, b'a', b'b'], 10, None);
        assert_eq!(decompress(&[], 10), None);
    }

    #[test]
    fn forged_bytes_only_give_none() {
        let mut seed = 1u32;
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..24)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8
                })
                .collect();
            assert!(decompress(&bytes, 64).is_none_or(|output| output.len() <= 64));
        }
    }
}
