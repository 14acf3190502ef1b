//! EFI programs: sections, SBAT, and who signed them.
//!
//! Sources: Microsoft PE/COFF specification; "Windows Authenticode Portable
//! Executable Signature Format" 1.0; shim's SBAT.md.
//!
//! What is checked: that each signature covers exactly these bytes (its
//! SHA-256 equals the file's), and whom its certificate names. The chain up
//! to a firmware's key is not verified; only the firmware knows its keys.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::bytes::{padded_text, slice, u16_le, u32_le};
use crate::der::{self, CONTEXT_0, INTEGER, OCTET_STRING, OID, SEQUENCE, SET};
use crate::error::{InspectError, Structure};

/// The PE format allows 96 sections; GNU tools write a dozen.
const SECTION_LIMIT: u16 = 256;

/// A signature in the certificate table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// Common name of the certificate that signed.
    pub subject: Option<String>,
    /// Common name of the authority that issued it.
    pub issuer: Option<String>,
    /// Whether the signed SHA-256 is this file's; `None` for other digests.
    pub covers_file: Option<bool>,
}

impl Signature {
    /// Whether subject or issuer contains `word`, such as `Microsoft`.
    #[must_use]
    pub fn names(&self, word: &str) -> bool {
        [&self.subject, &self.issuer]
            .into_iter()
            .flatten()
            .any(|name| name.contains(word))
    }
}

/// What an EFI program says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EfiProgram {
    /// COFF machine: 0x8664 is x86-64, 0xAA64 is AArch64.
    pub machine: u16,
    /// Names of the sections.
    pub sections: Vec<String>,
    /// All signatures; shim 16 carries two.
    pub signatures: Vec<Signature>,
    /// SBAT components and their generations, from `.sbat`.
    pub sbat: BTreeMap<String, u32>,
    /// The generations below which shim refuses components, from the
    /// automatic payload of `.sbatlevel`; empty for other programs.
    pub sbat_level: BTreeMap<String, u32>,
    /// The directory in which a GRUB image looks for its configuration.
    pub grub_prefix: Option<String>,
}

struct Headers<'a> {
    file: &'a [u8],
    machine: u16,
    /// Offset of the CheckSum field.
    checksum: usize,
    /// Offset of the certificate table's directory entry.
    directory: Option<usize>,
    sections: Vec<(String, &'a [u8])>,
}

/// Reads a PE file.
///
/// # Errors
/// Damage, when it is no PE file or a table points outside of it.
pub fn parse(file: &[u8]) -> Result<EfiProgram, InspectError> {
    let headers = headers(file).ok_or_else(|| damaged("it is not a PE file"))?;
    let section = |name: &str| {
        headers
            .sections
            .iter()
            .find(|(n, _)| n == name)
            .map_or(&[][..], |(_, bytes)| bytes)
    };
    Ok(EfiProgram {
        machine: headers.machine,
        signatures: signatures(&headers)?,
        sbat: sbat(section(".sbat")),
        sbat_level: sbat_level(section(".sbatlevel")),
        grub_prefix: grub_prefix(section("mods")),
        sections: headers
            .sections
            .iter()
            .map(|(name, _)| name.clone())
            .collect(),
    })
}

fn headers(file: &[u8]) -> Option<Headers<'_>> {
    if slice(file, 0, 2)? != b"MZ" {
        return None;
    }
    let coff = (u32_le(file, 0x3c)? as usize).checked_add(4)?;
    if slice(file, coff - 4, 4)? != b"PE\0\0" {
        return None;
    }
    let optional = coff + 20;
    let optional_size = usize::from(u16_le(file, coff + 16)?);
    let directories = match u16_le(file, optional)? {
        0x10b => optional + 96,
        0x20b => optional + 112,
        _ => return None,
    };
    let count = u32_le(file, directories - 4)?;
    let symbols = u32_le(file, coff + 8)? as usize;
    let strings =
        (symbols != 0).then(|| symbols + u32_le(file, coff + 12).unwrap_or(0) as usize * 18);
    let sections = (0..u16_le(file, coff + 2)?.min(SECTION_LIMIT)).filter_map(|index| {
        let header = slice(file, optional + optional_size + usize::from(index) * 40, 40)?;
        let size = u32_le(header, 16)? as usize;
        let used = size.min(u32_le(header, 8)? as usize);
        let content = slice(file, u32_le(header, 20)? as usize, used)?;
        Some((section_name(file, &header[..8], strings), content))
    });
    Some(Headers {
        file,
        machine: u16_le(file, coff)?,
        checksum: optional + 64,
        directory: (count > 4).then_some(directories + 32),
        sections: sections.collect(),
    })
}

/// Names over eight characters are `/` and an offset into the COFF strings.
fn section_name(file: &[u8], raw: &[u8], strings: Option<usize>) -> String {
    let short = padded_text(raw);
    let long = strings
        .zip(
            short
                .strip_prefix('/')
                .and_then(|digits| digits.parse::<usize>().ok()),
        )
        .and_then(|(start, offset)| file.get(start.checked_add(offset)?..))
        .map(|bytes| padded_text(&bytes[..bytes.len().min(64)]));
    long.unwrap_or(short)
}

fn signatures(headers: &Headers<'_>) -> Result<Vec<Signature>, InspectError> {
    let Some(entry) = headers.directory else {
        return Ok(Vec::new());
    };
    let at = u32_le(headers.file, entry).unwrap_or(0) as usize;
    let len = u32_le(headers.file, entry + 4).unwrap_or(0) as usize;
    if at == 0 || len == 0 {
        return Ok(Vec::new());
    }
    let outside = || damaged("its certificate table lies outside of the file");
    let mut table = slice(headers.file, at, len).ok_or_else(outside)?;
    let digest = authenticode(headers, entry, at, len).ok_or_else(outside)?;
    let mut found = Vec::new();
    // WIN_CERTIFICATE: length with header, revision, type, content; each
    // starts on a multiple of eight.
    while let Some(length) = u32_le(table, 0)
        .map(|length| length as usize)
        .filter(|&length| length >= 8)
    {
        let certificate =
            slice(table, 0, length).ok_or_else(|| damaged("a certificate is cut off"))?;
        if u16_le(certificate, 6) == Some(2) {
            let signature = signature(&certificate[8..], &digest);
            found.push(signature.ok_or_else(|| damaged("a signature is not PKCS #7"))?);
        }
        table = table.get(length.next_multiple_of(8)..).unwrap_or(&[]);
    }
    Ok(found)
}

/// The file's SHA-256 without the fields that signing changes.
fn authenticode(
    headers: &Headers<'_>,
    directory: usize,
    table: usize,
    len: usize,
) -> Option<Vec<u8>> {
    let file = headers.file;
    let mut hash = Sha256::new();
    hash.update(file.get(..headers.checksum)?);
    hash.update(file.get(headers.checksum + 4..directory)?);
    hash.update(file.get(directory + 8..table)?);
    hash.update(file.get(table + len..)?);
    Some(hash.finalize().to_vec())
}

/// The signer of a PKCS #7 SignedData (RFC 2315 section 9).
fn signature(bytes: &[u8], file_digest: &[u8]) -> Option<Signature> {
    let (content_info, _) = der::expect(bytes, SEQUENCE)?;
    let (_, rest) = der::expect(content_info, OID)?;
    let (explicit, _) = der::expect(rest, CONTEXT_0)?;
    let (signed, _) = der::expect(explicit, SEQUENCE)?;
    let (_, rest) = der::expect(signed, INTEGER)?;
    let (_, rest) = der::expect(rest, SET)?;
    let (content, rest) = der::expect(rest, SEQUENCE)?;
    let covers_file = signed_digest(content).map(|digest| digest == file_digest);
    let certificates =
        der::expect(rest, CONTEXT_0).map_or(&[][..], |(certificates, _)| certificates);
    // Certificates and revocation lists are optional; the signers come last.
    let signers = der::children(rest)
        .filter(|element| element.tag == SET)
        .last()?;
    let (signer, _) = der::expect(signers.content, SEQUENCE)?;
    let (_, rest) = der::expect(signer, INTEGER)?;
    let (issuer_and_serial, _) = der::expect(rest, SEQUENCE)?;
    let (issuer, rest) = der::expect(issuer_and_serial, SEQUENCE)?;
    let (serial, _) = der::expect(rest, INTEGER)?;
    let subject = der::children(certificates).find_map(|certificate| {
        let names = certificate_names(certificate.content)?;
        (names.serial == serial && names.issuer == issuer)
            .then(|| der::common_name(names.subject))
            .flatten()
    });
    Some(Signature {
        subject,
        issuer: der::common_name(issuer),
        covers_file,
    })
}

/// The SHA-256 in the SpcIndirectDataContent that was signed.
fn signed_digest(content: &[u8]) -> Option<&[u8]> {
    const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    let (_, rest) = der::expect(content, OID)?;
    let (explicit, _) = der::expect(rest, CONTEXT_0)?;
    let (indirect, _) = der::expect(explicit, SEQUENCE)?;
    let (_, rest) = der::expect(indirect, SEQUENCE)?;
    let (info, _) = der::expect(rest, SEQUENCE)?;
    let (algorithm, rest) = der::expect(info, SEQUENCE)?;
    let (oid, _) = der::expect(algorithm, OID)?;
    let (digest, _) = der::expect(rest, OCTET_STRING)?;
    (oid == SHA256).then_some(digest)
}

struct CertificateNames<'a> {
    serial: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
}

/// Names in an X.509 certificate's content (RFC 5280 section 4.1).
fn certificate_names(certificate: &[u8]) -> Option<CertificateNames<'_>> {
    let (fields, _) = der::expect(certificate, SEQUENCE)?;
    let after_version = der::expect(fields, CONTEXT_0).map_or(fields, |(_, rest)| rest);
    let (serial, rest) = der::expect(after_version, INTEGER)?;
    let (_, rest) = der::expect(rest, SEQUENCE)?;
    let (issuer, rest) = der::expect(rest, SEQUENCE)?;
    let (_, rest) = der::expect(rest, SEQUENCE)?;
    let (subject, _) = der::expect(rest, SEQUENCE)?;
    Some(CertificateNames {
        serial,
        issuer,
        subject,
    })
}

/// Lines of `component,generation,…` up to the first NUL.
fn sbat(section: &[u8]) -> BTreeMap<String, u32> {
    let end = section
        .iter()
        .position(|&b| b == 0)
        .unwrap_or(section.len());
    let text = String::from_utf8_lossy(&section[..end]);
    let lines = text.lines().filter_map(|line| {
        let mut columns = line.split(',');
        Some((
            columns.next()?.to_owned(),
            columns.next()?.trim().parse().ok()?,
        ))
    });
    lines.collect()
}

/// shim's `sbatlevel.S`: format 0, then offsets (from byte 4) of the payload
/// that is applied automatically and of the latest one.
fn sbat_level(section: &[u8]) -> BTreeMap<String, u32> {
    let payload = (u32_le(section, 0) == Some(0))
        .then(|| section.get((u32_le(section, 4)? as usize).checked_add(4)?..))
        .flatten();
    payload.map(sbat).unwrap_or_default()
}

/// The prefix module in GRUB's `mods` section (`grub/kernel.h`: magic "mimg",
/// 64-bit offset and size, then modules of type, size, content; 3 = prefix).
fn grub_prefix(section: &[u8]) -> Option<String> {
    if slice(section, 0, 4)? != b"mimg" {
        return None;
    }
    let mut at = u32_le(section, 8)? as usize;
    loop {
        let (kind, size) = (u32_le(section, at)?, u32_le(section, at + 4)? as usize);
        if kind == 3 {
            return slice(section, at + 8, size.checked_sub(8)?).map(padded_text);
        }
        at = at.checked_add(size).filter(|_| size >= 8)?;
    }
}

fn damaged(detail: &str) -> InspectError {
    InspectError::damaged(Structure::EfiProgram, detail)
}

#[cfg(test)]
#[path = "pe_tests.rs"]
pub(crate) mod tests;
