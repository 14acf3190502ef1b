//! What the person has agreed to. Nothing is sent before.

use std::{env, fs, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    endpoint::Place,
    failure::{Exit, Failure},
    settings::{Settings, write_private},
    terminal::Terminal,
};

/// Every agreement, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreements {
    #[serde(default)]
    agreed: Vec<Agreement>,
}

/// To sending questions to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Agreement {
    endpoint: String,
    /// Whether piped text may be sent without being shown first.
    #[serde(default)]
    piped: bool,
}

impl Agreements {
    /// What is kept at `path`; nothing when it cannot be read, so that the person is asked again.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        toml::from_str(&text).unwrap_or_default()
    }

    /// Whether questions may be sent with these settings.
    pub fn allow(&self, settings: &Settings) -> bool {
        self.find(settings).is_some()
    }

    /// Whether piped text may be sent with these settings without being shown.
    pub fn allow_piped(&self, settings: &Settings) -> bool {
        self.find(settings).is_some_and(|found| found.piped)
    }

    fn find(&self, settings: &Settings) -> Option<&Agreement> {
        let endpoint = settings.endpoint.to_string();
        self.agreed.iter().find(|one| one.endpoint == endpoint)
    }

    /// Remembers an agreement at `path`.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn remember(
        &mut self,
        settings: &Settings,
        piped: bool,
        path: &Path,
    ) -> Result<(), Failure> {
        let endpoint = settings.endpoint.to_string();
        self.agreed.retain(|one| one.endpoint != endpoint);
        self.agreed.push(Agreement { endpoint, piped });
        let text = toml::to_string(self)
            .map_err(|error| Failure::new(Exit::Failed, error.to_string(), ""))?;
        write_private(path, &text)
    }
}

/// Takes every agreement back; says whether there was one.
///
/// # Errors
///
/// When the record cannot be removed.
pub fn forget(path: &Path) -> Result<bool, Failure> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::new(
            Exit::Failed,
            format!("{} cannot be removed: {error}", path.display()),
            "Remove it by hand.",
        )),
    }
}

/// Where questions go, in lines for people.
pub fn describe(settings: &Settings) -> String {
    format!(
        "  Server        {}  ({})\n  Where that is {}\n  Model         {}\n",
        settings.endpoint,
        settings.interface.title(),
        whereabouts(settings),
        settings.model
    )
}

/// Where the server is, and who can read along; further lines are indented like the first.
fn whereabouts(settings: &Settings) -> String {
    const PROXIES: [&str; 6] = [
        "ALL_PROXY",
        "all_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
    ];
    let away = match settings.endpoint.place() {
        Place::Here => return "this machine; nothing leaves it".to_owned(),
        Place::Nearby => "another machine of your network; it leaves this machine",
        Place::Away => "a server elsewhere; it leaves this machine",
    };
    let mut lines = vec![away];
    if !settings.endpoint.is_encrypted() {
        lines.push("NOT encrypted: others on the way can read it");
    }
    let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    if PROXIES.iter().any(is_set) {
        lines.push("through the proxy that your environment names");
    }
    lines.join("\n                ")
}

/// Makes sure that the person has agreed to the server, asking when they have not.
///
/// # Errors
///
/// [`Exit::NotAgreed`] when they say no, or nobody can be asked.
pub fn obtain(
    settings: &Settings,
    agreements: &mut Agreements,
    path: &Path,
    terminal: Option<&mut Terminal>,
) -> Result<(), Failure> {
    if agreements.allow(settings) {
        return Ok(());
    }
    let Some(terminal) = terminal else {
        return Err(Failure::new(
            Exit::NotAgreed,
            format!(
                "nobody has agreed to asking {}, and there is no terminal to ask on; nothing was sent",
                settings.endpoint
            ),
            "Run `ai setup` once on a terminal.",
        ));
    };
    terminal.say(&format!(
        "Before the first question

  Questions go to {} ({})
  That is         {}
  Model           {}

  What is sent    your questions, text that you pipe to `ai explain`, in a chat what
                  was said before, and the name of this system
  What is not     anything else. Passwords, keys and tokens are cut out where they can
                  be recognised; piped text is shown to you first

Whoever runs the server can read what is sent. An answer may be wrong.

",
        settings.endpoint,
        settings.interface.title(),
        whereabouts(settings).replace('\n', "\n  "),
        settings.model
    ))?;
    let answer = terminal.ask("Do you agree? [y/N] ")?;
    if !is_yes(answer.as_deref()) {
        return Err(Failure::new(
            Exit::NotAgreed,
            "you have not agreed; nothing was sent",
            "`ai setup` chooses another server.",
        ));
    }
    agreements.remember(settings, false, path)?;
    terminal.say("\n")
}

/// Whether an answer is a clear yes.
pub fn is_yes(answer: Option<&str>) -> bool {
    answer.is_some_and(|answer| matches!(answer.to_lowercase().as_str(), "y" | "yes" | "j" | "ja"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{File, settle};

    fn settings(endpoint: &str) -> Settings {
        let file = File {
            endpoint: Some(endpoint.into()),
            model: Some("m".into()),
            ..File::default()
        };
        settle(file, File::default(), None).expect("settings")
    }

    #[test]
    fn an_agreement_is_for_one_endpoint_and_is_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("state/agreed.toml");
        let (one, other) = (settings("http://a:1"), settings("http://b:1"));
        let mut agreements = Agreements::read(&path);
        assert!(!agreements.allow(&one));
        agreements.remember(&one, false, &path).expect("written");
        let mut read = Agreements::read(&path);
        assert!(read.allow(&one) && !read.allow(&other) && !read.allow_piped(&one));
        read.remember(&one, true, &path).expect("written");
        assert!(Agreements::read(&path).allow_piped(&one));
        assert!(forget(&path).expect("removed"));
        assert!(!forget(&path).expect("nothing to remove"));
        assert!(!Agreements::read(&path).allow(&one));
    }

    #[test]
    fn a_broken_record_is_no_agreement() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("agreed.toml");
        fs::write(&path, "agreed = true").expect("written");
        assert!(!Agreements::read(&path).allow(&settings("http://a:1")));
    }

    #[test]
    fn what_leaves_the_machine_is_said() {
        for (endpoint, words) in [
            ("http://127.0.0.1:1", "nothing leaves it"),
            ("https://x.org", "a server elsewhere"),
            ("http://192.168.0.1", "NOT encrypted"),
        ] {
            assert!(describe(&settings(endpoint)).contains(words), "{endpoint}");
        }
        assert!(!describe(&settings("https://x.org")).contains("NOT"));
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        for (answer, yes) in [
            (Some("y"), true),
            (Some("YES"), true),
            (Some("ja"), true),
            (Some(""), false),
            (Some("yy"), false),
            (Some("n"), false),
            (None, false),
        ] {
            assert_eq!(is_yes(answer), yes, "{answer:?}");
        }
    }
}
