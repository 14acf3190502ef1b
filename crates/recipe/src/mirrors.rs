//! Mirrors as a build and the finished image need them. Which ones `auto` stands for is known to
//! [`isosmith_catalogue`], so that the window shows what a build will use.

use isosmith_engine::Failure;
use isosmith_protocol::Code;
use isosmith_spec::{
    Problem,
    model::{Base, Mirror},
};

use crate::signing::sentence;

pub use isosmith_catalogue::mirrors::{Machine, Mirrors, OFFICIAL, OFFICIAL_SECURITY};

/// Refuses addresses of files: a build sees no folder of the machine but its own, so an
/// archive on a disk must be served to it.
///
/// # Errors
///
/// [`Code::ProfileInvalid`] with the field and a way out.
pub fn refuse_files(base: &Base) -> Result<(), Failure> {
    match folders(base).into_iter().next() {
        None => Ok(()),
        Some(problem) => Err(Failure::new(
            Code::ProfileInvalid,
            format!("{}: {}", problem.path, problem.message),
            sentence(&problem.fix),
        )),
    }
}

/// Every address of a file, which a build would refuse.
pub fn folders(base: &Base) -> Vec<Problem> {
    let mirrors = base.mirrors.iter().enumerate();
    let mirrors = mirrors.map(|(number, mirror)| (format!("base.mirrors[{number}]"), mirror));
    let security = base
        .security
        .iter()
        .map(|mirror| ("base.security".to_owned(), mirror));
    let named = mirrors
        .chain(security)
        .filter_map(|(field, mirror)| match mirror {
            Mirror::At(uri) => Some((field, uri)),
            Mirror::Auto => None,
        });
    let further = base.repositories.iter().enumerate();
    let further = further
        .map(|(number, repository)| (format!("base.repositories[{number}].uri"), &repository.uri));
    named
        .chain(further)
        .filter(|(_, uri)| uri.is_file())
        .map(|(path, uri)| Problem {
            path,
            message: format!("{uri} is a folder of this machine, which a build does not see"),
            fix: "serve the folder over HTTP, for example with `python3 -m http.server --bind 127.0.0.1`".to_owned(),
            origin: None,
        })
        .collect()
}

/// Which mirrors the finished image's own apt uses: those of the profile, but never the ones
/// that the build machine happened to have.
pub fn for_image(base: &Base) -> (String, String) {
    let named = |mirrors: &[Mirror], official: &str| {
        mirrors
            .iter()
            .find_map(|mirror| match mirror {
                Mirror::At(uri) => Some(uri.as_str().trim_end_matches('/').to_owned()),
                Mirror::Auto => None,
            })
            .unwrap_or_else(|| official.to_owned())
    };
    (
        named(&base.mirrors, "http://deb.debian.org/debian"),
        named(base.security.as_slice(), OFFICIAL_SECURITY),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_the_machine_is_refused_by_name() {
        let check = |text: &str| {
            let text = format!("format = 1\n[profile]\nname = \"demo\"\n{text}");
            let origin = isosmith_spec::Origin::Profile("demo".into());
            let layer = isosmith_spec::Layer::new(origin, "", text);
            let (spec, _) = isosmith_spec::load(vec![layer], &|_| None).expect("a good profile");
            refuse_files(&spec.base).map_err(|failure| failure.message)
        };
        assert_eq!(check(""), Ok(()));
        assert_eq!(check("[base]\nmirrors = [\"http://m/debian\"]"), Ok(()));
        let refused =
            check("[base]\nmirrors = [\"auto\", \"file:///srv/debian\"]").expect_err("a folder");
        assert!(refused.starts_with("base.mirrors[1]: "), "{refused}");
    }
}
