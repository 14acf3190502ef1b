//! How to build.

use std::collections::HashMap;

use isosmith_recipe::SquashfsWriter;
use zbus::zvariant::OwnedValue;

use crate::refusal::{Refusal, bad_argument};

/// The options of `Start`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether the first failure ends the build.
    pub strict: bool,
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
        for (name, value) in given {
            match name.as_str() {
                "strict" => options.strict = truth(&name, value)?,
                "explain-cache" => options.explain_cache = truth(&name, value)?,
                "squashfs-writer" => options.writer = writer(value)?,
                _ => {
                    let name = super::shown(&name, 80);
                    return Err(bad_argument(format!("there is no option {name}")));
                }
            }
        }
        Ok(options)
    }
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
        let cases: [(&str, Value<'_>, Option<Options>); 8] = [
            (
                "strict",
                true.into(),
                Some(Options {
                    strict: true,
                    ..usual
                }),
            ),
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
    }
}
