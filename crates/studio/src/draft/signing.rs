//! Whether the key and the certificate that a draft names can sign, before a build is begun.

use std::{fs::File, io::Read, path::Path};

use isosmith_spec::{BuildSpec, Reason, names::MaterialPath, signing::Signer};

use crate::model::Problem;

/// As the build takes them, in bytes.
const MOST: u64 = 1 << 20;

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
    let mut bytes = Vec::new();
    File::open(Path::new(path.as_str()))
        .and_then(|file| file.take(MOST).read_to_end(&mut bytes))
        .map(|_| bytes)
        .map_err(|error| {
            let message = format!("cannot be read ({error})");
            Reason::new(message, "choose a file that you may read")
        })
}
