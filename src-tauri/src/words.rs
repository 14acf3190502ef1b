//! The few words that the window says outside of its page. All others are in `ui/messages`.

use std::{env, path::PathBuf};

use isosmith_protocol::BuildResult;
use isosmith_studio::model::Language;

use crate::desktop::Notice;

/// A language that there are words in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    /// English.
    English,
    /// German.
    German,
}

impl Speech {
    /// What the settings say; where they leave it to the system, what the environment says
    /// (locale(7)).
    pub fn of(language: Language) -> Self {
        match language {
            Language::En => Self::English,
            Language::De => Self::German,
            Language::System => Self::of_locale(&system()),
        }
    }

    fn of_locale(locale: &str) -> Self {
        match locale.starts_with("de") {
            true => Self::German,
            false => Self::English,
        }
    }
}

fn system() -> String {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_default()
}

/// What the person is told when a build of `title` has ended; [`None`] where they know: they
/// have stopped it themselves.
pub fn notice(speech: Speech, title: &str, result: &BuildResult) -> Option<Notice> {
    let german = speech == Speech::German;
    let buttons = match german {
        true => ["Ordner öffnen", "Ausprobieren"],
        false => ["Open folder", "Try it"],
    };
    let (head, text, iso) = match result {
        BuildResult::Succeeded { iso, .. } => {
            let head = match german {
                true => format!("{title} ist fertig"),
                false => format!("{title} is ready"),
            };
            (head, iso.path.clone(), Some(PathBuf::from(&iso.path)))
        }
        BuildResult::Failed { .. } | BuildResult::Interrupted => {
            let (head, text) = match german {
                true => (
                    format!("{title} wurde nicht fertig"),
                    "Isosmith sagt, woran es lag und was jetzt zu tun ist.",
                ),
                false => (
                    format!("{title} was not finished"),
                    "Isosmith says why, and what to do now.",
                ),
            };
            (head, text.to_owned(), None)
        }
        BuildResult::Cancelled | BuildResult::Unknown => return None,
    };
    Some(Notice {
        title: head,
        text,
        iso,
        buttons,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use isosmith_protocol::Output;

    use super::*;

    #[test]
    fn people_are_told_of_what_they_did_not_do_themselves() {
        let good = BuildResult::Succeeded {
            iso: Output {
                path: "/home/a/x.iso".into(),
                size: 1,
                checksums: BTreeMap::new(),
                enrolment: None,
            },
            files: Vec::new(),
        };
        for (speech, result, want) in [
            (Speech::English, &good, Some("Aurora is ready")),
            (Speech::German, &good, Some("Aurora ist fertig")),
            (
                Speech::English,
                &BuildResult::Interrupted,
                Some("Aurora was not finished"),
            ),
            (Speech::English, &BuildResult::Cancelled, None),
        ] {
            let notice = notice(speech, "Aurora", result);
            assert_eq!(notice.as_ref().map(|n| n.title.as_str()), want);
            let iso = notice.and_then(|notice| notice.iso);
            assert_eq!(iso.is_some(), want.is_some() && result == &good);
        }
    }

    #[test]
    fn the_system_s_language_is_what_its_locale_begins_with() {
        for (locale, want) in [
            ("de_AT.UTF-8", Speech::German),
            ("en_GB", Speech::English),
            ("C", Speech::English),
            ("", Speech::English),
        ] {
            assert_eq!(Speech::of_locale(locale), want, "{locale}");
        }
    }
}
