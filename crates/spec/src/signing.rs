//! Reads the certificate and the private key of `[security.signing]`: whether firmware, shim and
//! the signing program can do anything with them, and whether they belong together.
//!
//! Bytes come in, values and reasons go out; nothing of the key is kept.

use std::{fs::File, io::Read, path::Path};

use der::{
    Decode,
    asn1::{ObjectIdentifier, UintRef},
};
use pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef};
use pkcs8::PrivateKeyInfoRef;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use x509_cert::{Certificate, ext::pkix::ExtendedKeyUsage, name::Name};

use crate::problem::{Reason, invisible};

/// `rsaEncryption` (RFC 8017, appendix A.1), and what its keys are called elsewhere.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A certificate with this purpose is for modules of a kernel: shim refuses everything else that
/// it has signed (`OID_EKU_MODSIGN` in shim's `verify_eku`).
const MODULES_ONLY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.2312.16.1.2");

/// In bits. UEFI 2.10, 32.6 asks for RSA-2048; firmware has no use for more than 4096.
const BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The most that is read of a key or a certificate, in bytes.
const MOST: u64 = 1 << 20;

const MAKE_NEW: &str = "make a pair with `openssl req -new -x509 -newkey rsa:2048 -nodes -days 3650 -subj \"/CN=Your name/\" -keyout owner.key -out owner.pem`";

/// Whose signature it is: what a certificate says, and the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    name: String,
    der: Vec<u8>,
    begins: i64,
    ends: i64,
    /// Modulus and exponent, big-endian without leading zeros.
    public: (Vec<u8>, Vec<u8>),
}

/// Reads a key or a certificate, which is a small regular file; anything else, such as a pipe
/// that nobody writes to, is refused without waiting for it.
///
/// # Errors
///
/// When it is none, too big, or cannot be read.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Reason> {
    let unread = |error: std::io::Error| {
        let message = format!("cannot be read ({error})");
        Reason::new(message, "choose a file that you may read")
    };
    let meta = std::fs::metadata(path).map_err(unread)?;
    if !meta.is_file() || meta.len() > MOST {
        return Err(Reason::new(
            "is no small file, as keys and certificates are",
            MAKE_NEW,
        ));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MOST).read_to_end(&mut bytes))
        .map_err(unread)?;
    Ok(bytes)
}

impl Signer {
    /// Reads an X.509 certificate, PEM or DER.
    ///
    /// # Errors
    ///
    /// When it is none, holds a private key, or firmware or shim would not take its signatures.
    pub fn read(certificate: &[u8]) -> Result<Self, Reason> {
        let der = certificate_der(certificate)?;
        let parsed = Certificate::from_der(&der).map_err(|_| no_certificate())?;
        let inside = parsed.tbs_certificate();
        let info = inside.subject_public_key_info();
        if info.algorithm.oid != RSA {
            return Err(Reason::new(
                "the certificate is not for an RSA key, and firmware takes no other",
                MAKE_NEW,
            ));
        }
        let public = RsaPublicKeyRef::from_der(info.subject_public_key.raw_bytes())
            .map_err(|_| no_certificate())?;
        let public = pair(&public.modulus, &public.public_exponent);
        refuse_bits(&public.0)?;
        let purposes = inside
            .get_extension::<ExtendedKeyUsage>()
            .map_err(|_| no_certificate())?;
        if purposes.is_some_and(|(_, purposes)| purposes.0.contains(&MODULES_ONLY)) {
            return Err(Reason::new(
                "the certificate is for modules of a kernel only, and shim refuses kernels and loaders that it has signed",
                MAKE_NEW,
            ));
        }
        let validity = inside.validity();
        let seconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        Ok(Self {
            name: name(inside.subject()),
            begins: seconds(validity.not_before),
            ends: seconds(validity.not_after),
            public,
            der,
        })
    }

    /// Whether `key` is the private key of this certificate, and one that can be used without
    /// anybody being asked: RSA, PEM (PKCS #8 or PKCS #1), without a passphrase.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without a word of what is in it.
    pub fn owns(&self, key: &[u8]) -> Result<(), Reason> {
        let block = blocks(key)
            .find(|block| block.label.ends_with("PRIVATE KEY"))
            .ok_or_else(|| {
                Reason::new(
                    "it holds no private key in PEM form",
                    "name the file that begins with `-----BEGIN PRIVATE KEY-----`; `openssl pkey -inform DER -in owner.der -out owner.key` makes one from DER",
                )
            })?;
        let locked = block.label == "ENCRYPTED PRIVATE KEY"
            // RFC 1421, 4.6.1.1: how PKCS #1 says so.
            || block.text.lines().any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED"));
        if locked {
            return Err(Reason::new(
                "the key is protected by a passphrase, and a build asks nobody",
                "decrypt a copy with `openssl pkey -in locked.key -out owner.key`, and keep it where only you can read it",
            ));
        }
        let unreadable = || Reason::new("the private key cannot be read", MAKE_NEW);
        let decoded = der::pem::decode_vec(block.text.as_bytes());
        let (_, der) = decoded.map_err(|_| unreadable())?;
        let rsa = match block.label {
            "RSA PRIVATE KEY" => der.as_slice(),
            "PRIVATE KEY" => {
                let info = PrivateKeyInfoRef::from_der(&der).map_err(|_| unreadable())?;
                if info.algorithm.oid != RSA {
                    return Err(not_rsa());
                }
                info.private_key.as_bytes()
            }
            _ => return Err(not_rsa()),
        };
        let rsa = RsaPrivateKeyRef::from_der(rsa).map_err(|_| unreadable())?;
        let public = pair(&rsa.modulus, &rsa.public_exponent);
        refuse_bits(&public.0)?;
        if public == self.public {
            return Ok(());
        }
        Err(Reason::new(
            format!(
                "the key is not the one that the certificate of \"{}\" is for",
                self.name
            ),
            "name the two files that were made together",
        ))
    }

    /// What is odd about its dates at `now`, in seconds since 1970. Firmware and shim do not look
    /// at them, so this is no error.
    pub fn warning(&self, now: i64) -> Option<String> {
        let what = if now > self.ends {
            "ran out before this build"
        } else if now < self.begins {
            "is not valid yet"
        } else {
            return None;
        };
        Some(format!(
            "The certificate of \"{}\" {what}. Firmware and shim do not look at its dates; other programs may refuse what it signs.",
            self.name
        ))
    }

    /// The subject's common name, or all of the subject; nothing invisible in it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 over the certificate in DER, lower-case hexadecimal.
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(&self.der))
    }

    /// SHA-1 over the same, which is what MokManager shows (`show_x509_info` of shim): for a
    /// look at two screens, and for nothing that decides.
    pub fn short_fingerprint(&self) -> String {
        hex(&Sha1::digest(&self.der))
    }

    /// The certificate, DER: the form that firmware and MokManager read.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate, PEM.
    ///
    /// # Errors
    ///
    /// Never for what [`Self::read`] has read.
    pub fn pem(&self) -> Result<String, Reason> {
        der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, &self.der)
            .map_err(|_| no_certificate())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn no_certificate() -> Reason {
    Reason::new(
        "it is no X.509 certificate",
        "name the file that begins with `-----BEGIN CERTIFICATE-----`, or the same in DER",
    )
}

fn not_rsa() -> Reason {
    Reason::new(
        "the key is no RSA key, and firmware takes no other",
        MAKE_NEW,
    )
}

fn refuse_bits(modulus: &[u8]) -> Result<(), Reason> {
    let first = modulus
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    let bits = modulus.len() * 8 - first;
    if BITS.contains(&bits) {
        return Ok(());
    }
    let message = format!("the key has {bits} bits, and firmware takes 2048 to 4096");
    Err(Reason::new(message, MAKE_NEW))
}

fn pair(modulus: &UintRef<'_>, exponent: &UintRef<'_>) -> (Vec<u8>, Vec<u8>) {
    (modulus.as_bytes().to_vec(), exponent.as_bytes().to_vec())
}

fn certificate_der(bytes: &[u8]) -> Result<Vec<u8>, Reason> {
    if Certificate::from_der(bytes).is_ok() {
        return Ok(bytes.to_vec());
    }
    if blocks(bytes).any(|block| block.label.ends_with("PRIVATE KEY")) {
        return Err(Reason::new(
            "the file of the certificate holds a private key, and the certificate goes onto the medium",
            "put the two into files of their own",
        ));
    }
    let mut found = blocks(bytes).filter(|block| block.label == "CERTIFICATE");
    let first = found.next().ok_or_else(no_certificate)?;
    if found.next().is_some() {
        return Err(Reason::new(
            "the file holds more than one certificate",
            "leave only the one whose key signs",
        ));
    }
    let decoded = der::pem::decode_vec(first.text.as_bytes());
    decoded.map(|(_, der)| der).map_err(|_| no_certificate())
}

/// A piece of a PEM file, from its BEGIN to its END.
struct Block<'t> {
    label: &'t str,
    text: &'t str,
}

/// The pieces of a PEM file; other text, as `openssl` writes it around them, is passed over
/// (RFC 7468, 2).
fn blocks(bytes: &[u8]) -> impl Iterator<Item = Block<'_>> {
    const BEGIN: &str = "-----BEGIN ";

    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.match_indices(BEGIN).filter_map(|(at, _)| {
        let text = &text[at..];
        let (label, _) = text[BEGIN.len()..].split_once("-----")?;
        let end = format!("-----END {label}-----");
        let length = text.find(&end)? + end.len();
        let text = &text[..length];
        Some(Block { label, text })
    })
}

/// As people know it; see [`Signer::name`].
fn name(subject: &Name) -> String {
    let common = subject.common_name().ok().flatten();
    let text = common.map_or_else(|| subject.to_string(), |name| name.value().into_owned());
    let shown: String = text.chars().filter(|&c| !invisible(c)).take(64).collect();
    match shown.trim() {
        "" => "without a name".to_owned(),
        shown => shown.to_owned(),
    }
}

#[cfg(test)]
mod tests;
