//! Who is logged in: the records of systemd-logind and elogind below `/run/systemd/sessions`.
//!
//! One file for each session with lines `KEY=VALUE`, as sd-login(3) reads them.

use std::{fs, path::Path};

use isosmith_protocol::SessionKind;

/// A session of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Its name, such as `2` or `c1`.
    pub id: String,
    pub kind: SessionKind,
    /// The process that the session ends with.
    pub leader: u32,
}

/// The sessions of `uid` that a person sits in front of.
pub fn of(run: &Path, uid: u32) -> Vec<Login> {
    let entries = fs::read_dir(run.join("systemd/sessions"))
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<_> = entries
        // A session in use has a pipe beside its record.
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| {
            let text = fs::read_to_string(entry.path()).ok()?;
            parse(&entry.file_name().to_string_lossy(), &text, uid)
        })
        .collect();
    found.sort_by(|one, other| one.id.cmp(&other.id));
    found
}

fn parse(id: &str, text: &str, uid: u32) -> Option<Login> {
    let value = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .map(|value| value.trim_matches('"'))
    };
    // Greeters, lock screens, service managers and cron jobs have classes of their own;
    // `user-early` and its kin are people (sd-login(3)).
    let person = value("CLASS").is_none_or(|class| class.starts_with("user"));
    let ours = value("UID")?.parse() == Ok(uid);
    let open = value("STATE") != Some("closing");
    if !(person && ours && open) {
        return None;
    }
    let remote = value("REMOTE") == Some("1");
    Some(Login {
        id: id.to_owned(),
        kind: match value("TYPE") {
            Some("x11" | "wayland" | "mir") => SessionKind::Graphical,
            _ if remote => SessionKind::Ssh,
            Some("web") => SessionKind::Ssh,
            Some("tty") => SessionKind::Console,
            _ => SessionKind::None,
        },
        leader: value("LEADER")?.parse().ok()?,
    })
}

/// The kind that a person would miss most.
pub fn foremost(kinds: impl Iterator<Item = SessionKind>) -> SessionKind {
    let rank = |kind: &SessionKind| match kind {
        SessionKind::Graphical => 3,
        SessionKind::Ssh => 2,
        SessionKind::Console => 1,
        SessionKind::None | SessionKind::Other => 0,
    };
    kinds.max_by_key(rank).unwrap_or(SessionKind::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_give_the_kind_of_session() {
        let record =
            |lines: &str| format!("# Private data.\nUID=1000\nUSER=ada\n{lines}LEADER=7\n");
        for (lines, want) in [
            ("CLASS=user\nTYPE=wayland\n", Some(SessionKind::Graphical)),
            (
                "CLASS=user\nTYPE=x11\nREMOTE=1\n",
                Some(SessionKind::Graphical),
            ),
            ("CLASS=user\nTYPE=tty\nREMOTE=1\n", Some(SessionKind::Ssh)),
            (
                "CLASS=user\nTYPE=tty\nREMOTE=0\n",
                Some(SessionKind::Console),
            ),
            ("CLASS=user-early\nTYPE=tty\n", Some(SessionKind::Console)),
            ("CLASS=user\nTYPE=unspecified\n", Some(SessionKind::None)),
            ("TYPE=tty\n", Some(SessionKind::Console)),
            ("CLASS=greeter\nTYPE=wayland\n", None),
            ("CLASS=manager\nTYPE=unspecified\n", None),
            ("CLASS=background\nTYPE=unspecified\n", None),
            ("CLASS=user\nTYPE=wayland\nSTATE=closing\n", None),
        ] {
            let login = parse("2", &record(lines), 1000);
            assert_eq!(login.map(|login| login.kind), want, "{lines}");
            assert_eq!(parse("2", &record(lines), 1001), None, "{lines}");
        }
        assert_eq!(parse("2", "UID=1000\nTYPE=tty\n", 1000), None);
        assert_eq!(parse("2", "", 1000), None);
    }
}
