//! What stays out of an image.

/// Patterns such as `boot/initrd.img-*`, relative to the root.
#[derive(Debug)]
pub(crate) struct Patterns(Vec<Vec<Vec<u8>>>);

impl Patterns {
    pub(crate) fn new(patterns: &[String]) -> Self {
        let parts = |pattern: &String| {
            pattern
                .split('/')
                .filter(|part| !part.is_empty())
                .map(|part| part.as_bytes().to_vec())
                .collect()
        };
        // A pattern without parts would be the root, which is never left out.
        let all: Vec<Vec<Vec<u8>>> = patterns.iter().map(parts).collect();
        Self(all.into_iter().filter(|parts| !parts.is_empty()).collect())
    }

    /// Whether `path`, without a leading slash, is left out with all below it.
    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        self.0.iter().any(|pattern| {
            let mut parts = path.split(|&byte| byte == b'/');
            pattern
                .iter()
                .all(|wanted| parts.next().is_some_and(|part| part_matches(wanted, part)))
                && parts.next().is_none()
        })
    }
}

/// `*` stands for any run of bytes, `?` for one; a leading dot is nothing special.
fn part_matches(pattern: &[u8], part: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    // Where to go on after the last star, if the rest does not fit.
    let mut retry = None;
    while seen < part.len() {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, seen));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == part[seen] => {
                at += 1;
                seen += 1;
            }
            Some(_) | None => {
                let Some((after, from)) = retry else {
                    return false;
                };
                retry = Some((after, from + 1));
                at = after;
                seen = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, path: &str, expected: bool) {
        let patterns = Patterns::new(&[pattern.to_owned()]);
        assert_eq!(
            patterns.matches(path.as_bytes()),
            expected,
            "{pattern} {path}"
        );
    }

    #[test]
    fn patterns() {
        check("boot/initrd.img-*", "boot/initrd.img-6.1", true);
        check("boot/initrd.img-*", "boot/initrd.img", false);
        check("boot/initrd.img-*", "usr/boot/initrd.img-6.1", false);
        check("proc/*", "proc/1", true);
        check("proc/*", "proc/.hidden", true);
        check("proc/*", "proc", false);
        // What is below goes with its directory, so it is never asked for.
        check("proc/*", "proc/1/fd", false);
        check("/run/*/", "run/lock", true);
        check("*/*", "a/b", true);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-b-b", false);
        check("?", "a", true);
        check("?", "ab", false);
        check("**", "anything", true);
        check("*", "", true);
        check("", "", false);
    }
}
