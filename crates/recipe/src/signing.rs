//! The owner's own signature for Secure Boot: whose it is, and how it is made.
//!
//! **Invariant:** the private key is read by Isosmith's own programs, to see that it belongs to its
//! certificate and to copy it for the build, and by sbsign in a sandbox of its own. It is in no
//! command line, no key of the cache, no step's folder and nothing that a step leaves behind.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use isosmith_engine::{Failure, StepCx};
use isosmith_host::Cmd;
use isosmith_protocol::{Code, Enrolment};
use isosmith_spec::{
    Problem, Reason,
    model::{BuildSpec, SigningKey},
    names::MaterialPath,
    signing::{self, Signer},
};

use crate::{date, state::Debian, steps::environment::tools_sandbox};

/// Packages of the tools tree, when there is something to sign.
pub(crate) const TOOLS: &[&str] = &["libfaketime", "sbsigntool"];

/// The certificate on the medium and on its EFI partition, DER: where MokManager's "Enroll key
/// from disk" finds it.
pub const CERTIFICATE: &str = "EFI/keys/owner.cer";

/// sbsign has no option for the time in its signature, which would be the clock's
/// (`signingTime` of PKCS #9, which OpenSSL adds by itself).
const CLOCK: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// Whether the key and the certificate of `spec` can sign, and whose signature it will be; `None`
/// when the profile names none. `place` says where the file lies that the profile calls so.
///
/// # Errors
///
/// [`Code::MaterialInvalid`] with the field, the reason and what to do.
pub fn check_signing(
    spec: &BuildSpec,
    place: &dyn Fn(&MaterialPath) -> Result<PathBuf, Failure>,
) -> Result<Option<Signer>, Failure> {
    let Some(signing) = &spec.security.signing else {
        return Ok(None);
    };
    let (key, certificate) = (place(&signing.key)?, place(&signing.certificate)?);
    pair(signing, &key, &certificate)
        .map(Some)
        .map_err(|problem| refused(&problem))
}

/// Whether a key and a certificate that lie there can sign, and whose signature it will be.
///
/// # Errors
///
/// What is wrong with one of the two, by the profile's own names.
pub(crate) fn pair(
    signing: &SigningKey,
    key: &Path,
    certificate: &Path,
) -> Result<Signer, Problem> {
    let signer = signer_at(signing, certificate)?;
    let wrong = |reason| problem("key", &signing.key, reason);
    let bytes = signing::read_file(key).map_err(wrong)?;
    signer.owns(&bytes).map_err(wrong)?;
    Ok(signer)
}

fn signer_at(signing: &SigningKey, certificate: &Path) -> Result<Signer, Problem> {
    signing::read_file(certificate)
        .and_then(|bytes| Signer::read(&bytes))
        .map_err(|reason| problem("certificate", &signing.certificate, reason))
}

fn problem(key: &str, path: &MaterialPath, reason: Reason) -> Problem {
    Problem {
        path: format!("security.signing.{key}"),
        message: format!("{path}: {}", reason.message),
        fix: reason.fix,
        origin: None,
    }
}

fn refused(problem: &Problem) -> Failure {
    let message = format!("{}: {}", problem.path, problem.message);
    Failure::new(Code::MaterialInvalid, message, sentence(&problem.fix))
}

/// Finds before any work what would stop the signing at the end of it.
///
/// # Errors
///
/// Those of [`check_signing`].
pub(crate) fn preflight(cx: &StepCx<'_>, state: &Debian) -> Result<(), Failure> {
    let Some(signing) = &state.spec.security.signing else {
        return Ok(());
    };
    // Gone once the build has succeeded; one that is gone on with has all that it needs.
    if state.place(&signing.key)?.exists() {
        check_signing(&state.spec, &|path| state.place(path))?;
    }
    if let Some(odd) = state.signer()?.as_ref().and_then(odd_dates) {
        cx.warn(odd);
    }
    Ok(())
}

/// What is odd about a certificate today; see [`Signer::warning`].
pub fn odd_dates(signer: &Signer) -> Option<String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs());
    signer.warning(i64::try_from(now).unwrap_or(i64::MAX))
}

/// What the owner of a medium enrols.
pub(crate) fn enrolment(signer: &Signer) -> Enrolment {
    Enrolment {
        name: signer.name().to_owned(),
        sha1: signer.short_fingerprint(),
        sha256: signer.fingerprint(),
        path: CERTIFICATE.to_owned(),
    }
}

/// A fix of a [`Reason`] as the advice of a [`Failure`].
pub(crate) fn sentence(fix: &str) -> String {
    let mut letters = fix.chars();
    let first = letters.next().map(char::to_uppercase);
    let whole: String = first.into_iter().flatten().chain(letters).collect();
    format!("{whole}.")
}

impl Debian {
    /// Whose signature the medium gets. The key is not looked at: a build that has succeeded
    /// has none any more.
    ///
    /// # Errors
    ///
    /// Those of [`check_signing`].
    pub(crate) fn signer(&self) -> Result<Option<Signer>, Failure> {
        let signing = self.spec.security.signing.as_ref();
        signing
            .map(|signing| {
                let certificate = self.place(&signing.certificate)?;
                signer_at(signing, &certificate).map_err(|problem| refused(&problem))
            })
            .transpose()
    }

    fn place(&self, path: &MaterialPath) -> Result<PathBuf, Failure> {
        Ok(self.materials.get(path)?.path.clone())
    }

    /// What steps that sign depend on. The certificate stands for its key: no other key belongs
    /// to it, which was checked, and a signature with RSA (PKCS #1) is the same each time.
    pub(crate) fn signing_inputs(&self) -> Option<&str> {
        let signing = self.spec.security.signing.as_ref()?;
        Some(self.materials.hash(&signing.certificate))
    }
}

/// Signs EFI programs, beside the signatures that they have.
pub(crate) struct Pen<'s> {
    state: &'s Debian,
    certificate: String,
    key: &'s Path,
}

impl<'s> Pen<'s> {
    /// The owner's; `None` where the profile names none.
    ///
    /// # Errors
    ///
    /// Those of [`check_signing`].
    pub(crate) fn of(state: &'s Debian) -> Result<Option<Self>, Failure> {
        let signer = check_signing(&state.spec, &|path| state.place(path))?;
        let (Some(signing), Some(signer)) = (&state.spec.security.signing, signer) else {
            return Ok(None);
        };
        let certificate = signer
            .pem()
            .map_err(|reason| Failure::plain(Code::Internal, reason.message))?;
        Ok(Some(Self {
            state,
            certificate,
            key: &state.materials.get(&signing.key)?.path,
        }))
    }

    /// Signs `from`; the whole, signed program is at `to` afterwards, or nothing is.
    ///
    /// # Errors
    ///
    /// When it is no EFI program, or its signature does not stand up to a look at it.
    pub(crate) fn sign(&self, cx: &StepCx<'_>, from: &Path, to: &Path) -> Result<(), Failure> {
        let half = to.with_extension("half-signed");
        fs::File::create(&half).map_err(|error| Failure::io_at("make", &half, error))?;
        let sandbox = tools_sandbox(self.state.tools()?)
            .bind_ro(from, "/run/program.efi")
            .file("/run/owner.pem", self.certificate.as_str(), 0o644);
        let sign = Cmd::new("sbsign")
            .env("LD_PRELOAD", CLOCK)
            .env("FAKETIME", date::clock(self.state.source_date()))
            .env("TZ", "UTC")
            .args(["--key", "/run/owner.key", "--cert", "/run/owner.pem"])
            .args(["--output", "/run/signed.efi", "/run/program.efi"])
            .inside(
                sandbox
                    .clone()
                    .bind_ro(self.key, "/run/owner.key")
                    .bind(&half, "/run/signed.efi"),
            );
        cx.run(&sign)?;
        let look = Cmd::new("sbverify")
            .args(["--cert", "/run/owner.pem", "/run/signed.efi"])
            .inside(sandbox.bind_ro(&half, "/run/signed.efi"));
        cx.run(&look)?;
        fs::rename(&half, to).map_err(|error| Failure::io_at("rename", &half, error))
    }
}

#[cfg(test)]
mod tests;
