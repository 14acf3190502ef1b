//! How a build of the service really ended.
//!
//! The build's own ending comes before its ISO has arrived in the person's folder, and names
//! the ISO where the service has made it. The last word is the service's.

use std::path::Path;

use isosmith_client::{Description, State};
use isosmith_protocol::{BuildResult, Code};

use crate::fault::Fault;

/// What became of a build that `said` how it ended, whose ISO goes to `output`.
pub fn outcome(described: &Description, said: BuildResult, output: Option<&Path>) -> BuildResult {
    let known = described.result.clone().unwrap_or(said);
    match described.state {
        State::Failed => failed(known),
        State::Cancelled => BuildResult::Cancelled,
        State::Interrupted => BuildResult::Interrupted,
        State::Queued | State::Running | State::Succeeded | State::Other => {
            delivered(known, described.iso.as_deref(), output)
        }
    }
}

fn failed(known: BuildResult) -> BuildResult {
    if matches!(known, BuildResult::Failed { .. }) {
        return known;
    }
    let fault = Fault::new(
        Code::Io,
        "the ISO was made, but could not be put into the output folder",
        "Look whether the folder is there and has room, then resume the build; it makes nothing again.",
    );
    BuildResult::Failed {
        error: fault.view().clone(),
    }
}

/// The same with paths in `output`, where that is known.
fn delivered(known: BuildResult, name: Option<&str>, output: Option<&Path>) -> BuildResult {
    let BuildResult::Succeeded { mut iso, mut files } = known else {
        return known;
    };
    let Some(output) = output else {
        return BuildResult::Succeeded { iso, files };
    };
    let here = |path: &str| {
        let name = Path::new(path).file_name();
        name.map_or_else(
            || path.to_owned(),
            |name| output.join(name).display().to_string(),
        )
    };
    iso.path = here(name.unwrap_or(&iso.path));
    for file in &mut files {
        *file = here(file);
    }
    BuildResult::Succeeded { iso, files }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use isosmith_protocol::{BuildId, Isolation, Output};

    use super::*;

    fn described(state: State, result: Option<BuildResult>) -> Description {
        Description {
            id: BuildId::parse("x").expect("an id"),
            profile: String::new(),
            product: String::new(),
            state,
            started: 0,
            uid: 0,
            spec_sha256: String::new(),
            isolation: Isolation::Namespace,
            resumable: false,
            iso: Some("renamed.iso".into()),
            result,
            session: Vec::new(),
        }
    }

    fn good(path: &str, file: &str) -> BuildResult {
        BuildResult::Succeeded {
            iso: Output {
                path: path.into(),
                size: 1,
                checksums: BTreeMap::new(),
                enrolment: None,
            },
            files: vec![file.into()],
        }
    }

    #[test]
    fn the_service_has_the_last_word() {
        let bad = failed(BuildResult::Cancelled);
        for (state, known, code) in [
            (State::Succeeded, None, None),
            (State::Failed, Some(bad), Some(Code::Io)),
            (State::Failed, None, Some(Code::Io)),
            (State::Cancelled, None, Some(Code::Cancelled)),
            (State::Interrupted, None, Some(Code::Interrupted)),
            (State::Other, None, None),
        ] {
            let result = outcome(&described(state, known), good("/w/x.iso", "/w/m"), None);
            assert_eq!(result.code(), code, "{state:?}");
        }
    }

    #[test]
    fn the_iso_is_named_where_the_person_finds_it() {
        let said = good("/var/lib/isosmith/x/out/x.iso", "/var/lib/x.manifest");
        let described = described(State::Succeeded, None);
        let result = outcome(&described, said.clone(), Some(Path::new("/home/a/out")));
        assert_eq!(
            result,
            good("/home/a/out/renamed.iso", "/home/a/out/x.manifest")
        );
        assert_eq!(outcome(&described, said.clone(), None), said);
    }
}
