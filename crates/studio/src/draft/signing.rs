//! Whether the key and the certificate that a draft names can sign, before a build is begun.

use std::path::Path;

use isosmith_spec::{
    BuildSpec, Reason,
    names::MaterialPath,
    signing::{Signer, read_file},
};

use crate::model::Problem;

/// The first thing that is wrong with the two files; they are there.
pub(crate) fn problem(spec: &BuildSpec) -> Option<Problem> {
    let signing = spec.security.signing.as_ref()?;
    let said = |field: &str, path: &MaterialPath, reason: Reason| Problem {
        path: format!("security.signing.{field}"),
        message: format!("{path}: {}; {}.", reason.message, reason.fix),
        fix: None,
    };
    let signer = match read(&signing.certificate).and_then(|bytes| Signer::read(&bytes)) {
        Ok(signer) => signer,
        Err(reason) => return Some(said("certificate", &signing.certificate, reason)),
    };
    let owned = read(&signing.key).and_then(|bytes| signer.owns(&bytes));
    owned.err().map(|reason| said("key", &signing.key, reason))
}

fn read(path: &MaterialPath) -> Result<Vec<u8>, Reason> {
    read_file(Path::new(path.as_str()))
}
