//! Passwords, which are never kept: only what a login checks them against.

use isosmith_protocol::Code;
use sha_crypt::PasswordHasher;

use crate::{Error, Result};

/// The longest, in bytes; what pam_unix(8) takes.
const LONGEST: usize = 511;

/// The hash of a password as profiles and `/etc/shadow` have it (crypt(5)), salted anew each time.
///
/// # Errors
///
/// [`Code::ProfileInvalid`] for an empty password, and one that nobody could type at a login.
pub fn hash_password(password: &str) -> Result<String> {
    let refused = |why: &str| Error::new(Code::ProfileInvalid, why, "Choose another password.");
    if password.is_empty() {
        return Err(refused("the password is empty"));
    }
    if password.len() > LONGEST {
        return Err(refused("the password is longer than 511 bytes"));
    }
    if password.chars().any(char::is_control) {
        return Err(refused(
            "the password has a character that cannot be typed at a login",
        ));
    }
    let hashed = sha_crypt::ShaCrypt::default().hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| {
        Error::new(
            Code::Internal,
            format!("the password cannot be hashed: {error}"),
            "This is a fault in Isosmith; please report it.",
        )
    })
}

#[cfg(test)]
mod tests {
    use sha_crypt::{PasswordVerifier, ShaCrypt};

    use super::*;

    #[test]
    fn only_the_password_fits_its_hash() {
        let hash = hash_password("correct horse").expect("hashed");
        let fits = |password: &str| {
            let verified = ShaCrypt::default().verify_password(password.as_bytes(), hash.as_str());
            verified.is_ok()
        };
        assert!(hash.starts_with("$6$") || hash.starts_with("$5$"), "{hash}");
        assert!(fits("correct horse") && !fits("wrong horse"));
        assert_ne!(hash_password("correct horse").ok(), Some(hash));
    }

    #[test]
    fn what_nobody_can_type_is_refused() {
        for password in ["", "two\nlines", "a\u{7}bell", &"x".repeat(LONGEST + 1)] {
            let error = hash_password(password).expect_err("refused");
            assert_eq!(error.code(), Code::ProfileInvalid, "{password:?}");
        }
        assert!(hash_password(&"ä".repeat(255)).is_ok());
    }
}
