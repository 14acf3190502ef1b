//! Release files: which lists an archive has, and their checksums.

use std::collections::HashMap;

/// A Release file, as far as it matters here. Its signature is not checked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Release {
    /// Lists can be asked for by their checksum, so that they fit whatever happens meanwhile.
    pub(crate) by_hash: bool,
    /// Packages are taken from it when asked for only (`NotAutomatic`).
    pub(crate) not_automatic: bool,
    /// Packages for all architectures have lists of their own.
    pub(crate) all_apart: bool,
    files: HashMap<String, Listed>,
}

/// A file that a Release file vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Lower-case hexadecimal.
    pub(crate) sha256: String,
    /// In bytes.
    pub(crate) size: u64,
}

impl Release {
    /// Reads `Release` or `InRelease`; `None` for what is neither.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = match text.strip_prefix("-----BEGIN PGP SIGNED MESSAGE-----") {
            None => text,
            // The headers of a signed message end with an empty line (RFC 4880, section 7).
            Some(signed) => {
                let (_, body) = signed.split_once("\n\n")?;
                body.split_once("\n-----BEGIN PGP SIGNATURE-----")?.0
            }
        };
        let mut release = Self::default();
        let mut architectures = "";
        let mut only_one = "";
        let mut field = "";
        for line in text.lines() {
            if let Some(entry) = line.strip_prefix(' ') {
                if field == "SHA256"
                    && let Some((path, listed)) = entry_of(entry)
                {
                    release.files.insert(path, listed);
                }
                continue;
            }
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            field = name;
            let value = value.trim();
            match name {
                "Acquire-By-Hash" => release.by_hash = value == "yes",
                "NotAutomatic" => release.not_automatic = value == "yes",
                "Architectures" => architectures = value,
                "No-Support-for-Architecture-all" => only_one = value,
                _ => {}
            }
        }
        release.all_apart =
            architectures.split_whitespace().any(|name| name == "all") && only_one != "Packages";
        (!release.files.is_empty()).then_some(release)
    }

    /// The best form of the list `path`: its path and what is promised of it.
    pub(crate) fn best(&self, path: &str) -> Option<(String, &Listed)> {
        ["", "./"]
            .iter()
            .flat_map(|prefix| [".xz", ".gz", ""].map(|ending| (prefix, ending)))
            .find_map(|(prefix, ending)| {
                let listed = self.files.get(&format!("{prefix}{path}{ending}"))?;
                Some((format!("{path}{ending}"), listed))
            })
    }
}

fn entry_of(line: &str) -> Option<(String, Listed)> {
    let mut fields = line.split_whitespace();
    let (sha256, size, path) = (fields.next()?, fields.next()?, fields.next()?);
    let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    let listed = Listed {
        sha256: sha256.to_ascii_lowercase(),
        size: size.parse().ok()?,
    };
    (is_hash && path.contains("Packages")).then(|| (path.to_owned(), listed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "AB00000000000000000000000000000000000000000000000000000000000000";

    fn check(text: &str, path: &str, want: Option<&str>) {
        let text = text.replace("HASH", HASH);
        let release = Release::parse(&text);
        let found = release.as_ref().and_then(|release| release.best(path));
        assert_eq!(found.map(|(path, _)| path).as_deref(), want, "{text}");
    }

    #[test]
    fn lists_are_found_in_their_best_form() {
        let path = "main/binary-amd64/Packages";
        check(
            "SHA256:\n HASH 5 main/binary-amd64/Packages\n HASH 5 main/binary-amd64/Packages.xz\n",
            path,
            Some("main/binary-amd64/Packages.xz"),
        );
        check(
            "SHA256:\n HASH 5 main/binary-amd64/Packages.gz\n",
            path,
            Some("main/binary-amd64/Packages.gz"),
        );
        check("MD5Sum:\n HASH 5 main/binary-amd64/Packages\n", path, None);
        check(
            "SHA256:\n HASH five main/binary-amd64/Packages\n",
            path,
            None,
        );
        check("SHA256:\n beef 5 main/binary-amd64/Packages\n", path, None);
        check(
            "SHA256:\n HASH 5 ./Packages.gz\n",
            "Packages",
            Some("Packages.gz"),
        );
        check("<html>", path, None);
    }

    #[test]
    fn a_signed_file_is_read_up_to_its_signature() {
        let signed = format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nAcquire-By-Hash: yes\n\
             NotAutomatic: yes\nArchitectures: all amd64\nSHA256:\n {HASH} 7 Packages.xz\n\
             -----BEGIN PGP SIGNATURE-----\n\nSHA256:\n {HASH} 9 other/Packages.xz\n"
        );
        let release = Release::parse(&signed).expect("a Release file");
        assert!(release.by_hash && release.not_automatic && release.all_apart);
        let (_, listed) = release.best("Packages").expect("listed");
        assert_eq!(
            (listed.size, listed.sha256.as_str()),
            (7, HASH.to_ascii_lowercase().as_str())
        );
        assert_eq!(release.best("other/Packages"), None);
        let one = signed.replace(
            "NotAutomatic: yes",
            "No-Support-for-Architecture-all: Packages",
        );
        assert!(!Release::parse(&one).expect("a Release file").all_apart);
    }
}
