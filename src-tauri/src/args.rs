//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::Parser;

/// Makes your own Linux ISO, in a window.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(name = "isosmith-gui", version)]
pub struct Args {
    /// A profile, or an ISO that Isosmith has made, to open.
    pub file: Option<PathBuf>,
    /// Play a recorded build instead of building: without root, without the service. A file
    /// of events, one JSON object per line; without one, a recording that comes with Isosmith.
    #[arg(long, value_name = "RECORDING")]
    #[expect(
        clippy::option_option,
        reason = "the option may be given with and without a file"
    )]
    pub mock: Option<Option<PathBuf>>,
    /// How many times faster than it was recorded.
    #[arg(long, requires = "mock", default_value_t = 1.0, value_parser = positive)]
    pub speed: f64,
}

impl Args {
    /// What a second start was given, seen from the folder that it was started in.
    pub fn of_another(
        words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Option<Self> {
        Self::try_parse_from(words).ok()
    }
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|speed| speed.is_finite() && *speed > 0.0)
        .ok_or_else(|| "a number above 0 is wanted".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_understood() {
        let plain = Args {
            file: None,
            mock: None,
            speed: 1.0,
        };
        for (words, want) in [
            ("", Some(plain.clone())),
            (
                "a.toml",
                Some(Args {
                    file: Some("a.toml".into()),
                    ..plain.clone()
                }),
            ),
            (
                "--mock --speed 20",
                Some(Args {
                    mock: Some(None),
                    speed: 20.0,
                    ..plain.clone()
                }),
            ),
            (
                "--mock x.jsonl",
                Some(Args {
                    mock: Some(Some("x.jsonl".into())),
                    ..plain
                }),
            ),
            ("--speed 2", None),
            ("--mock --speed 0", None),
            ("--mock --speed nan", None),
            ("--unknown", None),
            ("a b", None),
        ] {
            let line = ["isosmith-gui"].into_iter().chain(words.split_whitespace());
            assert_eq!(Args::of_another(line), want, "{words}");
        }
    }
}
