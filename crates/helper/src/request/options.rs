//! How to build.

use std::collections::HashMap;

use isosmith_protocol::{CacheLimit, ErrorMode, Manner, NotAManner, Pace};
use isosmith_recipe::SquashfsWriter;
use zbus::zvariant::OwnedValue;

use crate::refusal::{Refusal, bad_argument};

/// The options of `Start`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// What to do about failures, and how much to take of the machine and of its disk.
    pub manner: Manner,
    /// Whether to log why a result does not come from the cache.
    pub explain_cache: bool,
    /// Who packs the tree.
    pub writer: SquashfsWriter,
}

impl Options {
    /// Reads them off the bus.
    ///
    /// # Errors
    ///
    /// For an option that there is not, and for a value that means nothing.
    pub fn read(given: HashMap<String, OwnedValue>) -> Result<Self, Refusal> {
        let mut options = Self::default();
        let (mut strict, mut permissive) = (false, false);
        for (name, value) in given {
            match name.as_str() {
                "strict" => strict = truth(&name, value)?,
                "permissive" => permissive = truth(&name, value)?,
                "pace" => options.manner.pace = pace(value)?,
                "cache-limit" => options.manner.cache_limit = Some(limit(value)?),
                "explain-cache" => options.explain_cache = truth(&name, value)?,
                "squashfs-writer" => options.writer = writer(value)?,
                _ => {
                    let name = super::shown(&name, 80);
                    return Err(bad_argument(format!("there is no option {name}")));
                }
            }
        }
        options.manner.errors = match (strict, permissive) {
            (false, false) => ErrorMode::Graceful,
            (true, false) => ErrorMode::Strict,
            (false, true) => ErrorMode::Permissive,
            (true, true) => return Err(bad_argument("strict and permissive exclude each other")),
        };
        Ok(options)
    }
}

fn pace(value: OwnedValue) -> Result<Pace, Refusal> {
    let word = String::try_from(value).unwrap_or_default();
    word.parse()
        .map_err(|error: NotAManner| bad_argument(error.to_string()))
}

/// In gigabytes.
fn limit(value: OwnedValue) -> Result<CacheLimit, Refusal> {
    let gigabytes = u32::try_from(value).unwrap_or_default();
    CacheLimit::try_from(gigabytes).map_err(|error| bad_argument(error.to_string()))
}

fn truth(name: &str, value: OwnedValue) -> Result<bool, Refusal> {
    bool::try_from(value).map_err(|_| bad_argument(format!("{name} is true or false")))
}

fn writer(value: OwnedValue) -> Result<SquashfsWriter, Refusal> {
    match String::try_from(value).as_deref() {
        Ok("isosmith") => Ok(SquashfsWriter::Isosmith),
        Ok("mksquashfs") => Ok(SquashfsWriter::Mksquashfs),
        Ok(_) | Err(_) => Err(bad_argument("squashfs-writer is isosmith or mksquashfs")),
    }
}

#[cfg(test)]
mod tests {
    use zbus::zvariant::Value;

    use super::*;

    #[test]
    fn only_known_options_of_the_right_types_are_taken() {
        let usual = Options::default();
        let done = |manner| Some(Options { manner, ..usual });
        let erring = |errors| {
            done(Manner {
                errors,
                ..Manner::default()
            })
        };
        let limited = Manner {
            cache_limit: "20".parse().ok(),
            ..Manner::default()
        };
        let gentle = Manner {
            pace: Pace::Conservative,
            ..Manner::default()
        };
        let cases: [(&str, Value<'_>, Option<Options>); 15] = [
            ("strict", true.into(), erring(ErrorMode::Strict)),
            ("permissive", true.into(), erring(ErrorMode::Permissive)),
            ("permissive", "yes".into(), None),
            ("pace", "conservative".into(), done(gentle)),
            ("pace", "fast".into(), None),
            ("pace", 1_u32.into(), None),
            ("cache-limit", 20_u32.into(), done(limited)),
            ("cache-limit", 1_u32.into(), None),
            (
                "explain-cache",
                true.into(),
                Some(Options {
                    explain_cache: true,
                    ..usual
                }),
            ),
            (
                "squashfs-writer",
                "mksquashfs".into(),
                Some(Options {
                    writer: SquashfsWriter::Mksquashfs,
                    ..usual
                }),
            ),
            ("squashfs-writer", "isosmith".into(), Some(usual)),
            ("squashfs-writer", "tar".into(), None),
            ("strict", 1_u32.into(), None),
            ("Strict", true.into(), None),
            ("root", true.into(), None),
        ];
        for (name, value, want) in cases {
            let value = OwnedValue::try_from(value).expect("a value");
            let read = Options::read(HashMap::from([(name.to_owned(), value)]));
            assert_eq!(read.ok(), want, "{name}");
        }
        let both = ["strict", "permissive"].map(|name| {
            let value = OwnedValue::try_from(Value::from(true)).expect("a value");
            (name.to_owned(), value)
        });
        assert!(Options::read(HashMap::from(both)).is_err());
    }
}
