//! Cuts out what nobody else should read.
//!
//! A table of patterns, applied in order. It cuts too much rather than too little: a word that
//! is missing in a question does little harm. It knows forms, not meanings, so the person is
//! shown what is left.

use std::{collections::BTreeMap, net::Ipv6Addr};

use regex::{Captures, Regex};

/// What is cut beyond what is always cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Addresses of networks and machines.
    pub addresses: bool,
    /// E-mail addresses.
    pub mail: bool,
}

/// A pattern, what it finds, and what stands there afterwards.
struct Rule {
    /// In the singular, for the count.
    what: &'static str,
    pattern: &'static str,
    /// As [`Regex::replace_all`] takes it.
    instead: &'static str,
}

const fn rule(what: &'static str, pattern: &'static str, instead: &'static str) -> Rule {
    Rule {
        what,
        pattern,
        instead,
    }
}

/// The longest and surest forms come first: what they have cut, later ones do not see.
const RULES: &[Rule] = &[
    rule(
        "private key",
        r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z0-9 ]*-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY[A-Z0-9 ]*-----|\z)",
        "[private key]",
    ),
    // The end of one, when its beginning has been cut off.
    rule(
        "private key",
        r"(?s)\A.*-----END [A-Z0-9 ]*PRIVATE KEY[A-Z0-9 ]*-----",
        "[private key]",
    ),
    rule(
        "private key",
        r"\bAGE-SECRET-KEY-1[0-9A-Za-z]{20,}",
        "[private key]",
    ),
    // Header fields of RFC 9110, RFC 6265 and of many interfaces.
    rule(
        "header",
        r#"(?im)\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token|api-key)(["']?[ \t]*[:=][ \t]*)[^\r\n]+"#,
        "$1$2[removed]",
    ),
    rule(
        "token",
        r"(?i)\b(bearer|token)([ \t]+)[A-Za-z0-9._~+/=-]{16,}",
        "$1$2[removed]",
    ),
    // RFC 7519.
    rule(
        "token",
        r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)*",
        "[token]",
    ),
    // The part of RFC 3986 that is called userinfo, also with characters that must not be in it.
    rule(
        "password",
        r#"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/?#@"'<>]*:[^\s"'<>]*@"#,
        "$1[removed]@",
    ),
    rule(
        "password",
        r#"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/?#"'<>]+@"#,
        "$1[removed]@",
    ),
    // A phrase has spaces.
    rule(
        "password",
        r#"(?im)((?:passphrase|[\w.-]*\bpsk)["']?[ \t]*[:=][ \t]*)[^\r\n]+"#,
        "$1[removed]",
    ),
    rule(
        "password",
        r#"(?i)([\w.-]*(?:passw(?:or)?d|passwd|passwort|kennwort|passphrase|pwd|secret|token|credentials?|(?:api|access|private|preshared|account|encryption|signing|ssh)[_-]?key)[\w.-]*["']?[ \t]*(?:=>|:=|=)[ \t]*)("(?:\\.|[^"\\\r\n])*"?|'[^'\r\n]*'?|\S+)"#,
        "$1[removed]",
    ),
    // Not where "::" parts the names of a program.
    rule(
        "password",
        r#"(?i)([\w.-]*(?:passw(?:or)?d|passwd|passwort|kennwort|passphrase|pwd|secret|token|credentials?|(?:api|access|private|preshared|account|encryption|signing|ssh)[_-]?key)[\w.-]*["']?[ \t]*:[ \t]*)("(?:\\.|[^"\\\r\n])*"?|'[^'\r\n]*'?|[^\s:=]\S*)"#,
        "$1[removed]",
    ),
    rule(
        "password",
        r#"(?i)((?:^|\s)--?(?:[\w-]*(?:password|passwd|passphrase|secret|token|api-?key|psk)[\w-]*|pass)[ \t]+)("[^"\r\n]*"?|'[^'\r\n]*'?|\S+)"#,
        "$1[removed]",
    ),
    rule(
        "password",
        r#"((?:^|\s)(?:-u|--user)[ =]+["']?)[^\s:"']+:[^\s"']+"#,
        "$1[removed]",
    ),
    // crypt(5).
    rule(
        "password",
        r"\$(?:1|2[abxy]?|5|6|7|y|gy|sha1|md5|argon2[a-z]*)\$[./A-Za-z0-9$=,+-]{8,}",
        "[password]",
    ),
    rule(
        "key",
        r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ABIA|ACCA)[A-Z0-9]{16}\b",
        "[key]",
    ),
    rule(
        "key",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|gl[a-z]{2,5}-[A-Za-z0-9_.-]{16,})",
        "[key]",
    ),
    rule("key", r"\b[srp]k-[A-Za-z0-9_-]{16,}", "[key]"),
    rule(
        "key",
        r"\b(?:[srp]k_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9]{8,})",
        "[key]",
    ),
    rule(
        "key",
        r"\b(?:xox[a-z]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}|hooks\.slack\.com/services/\S+)",
        "[key]",
    ),
    rule(
        "key",
        r"\b(?:AIza[0-9A-Za-z_-]{30,}|ya29\.[0-9A-Za-z_-]{10,}|GOCSPX-[0-9A-Za-z_-]{10,})",
        "[key]",
    ),
    rule(
        "key",
        r"\b(?:npm_[A-Za-z0-9]{20,}|hf_[A-Za-z0-9]{16,}|pypi-[A-Za-z0-9_-]{16,}|dckr_pat_[A-Za-z0-9_-]{16,}|dop_v1_[a-f0-9]{32,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})",
        "[key]",
    ),
    rule("key", r"[0-9]{8,10}:[A-Za-z0-9_-]{33,}", "[key]"),
];

const HOME: Rule = rule("name", r"(/home/)[^\s/:'\x22\])>,;]+", "${1}[user]");

const MAIL: Rule = rule(
    "e-mail address",
    r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
    "[e-mail]",
);

const ADDRESSES: &[Rule] = &[
    rule(
        "address",
        r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b",
        "[address]",
    ),
    rule(
        "address",
        r"\b(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\b",
        "[address]",
    ),
];

/// Whatever may be an address of IPv6; which ones are, the parser says.
const MAYBE_IPV6: &str = r"[0-9A-Za-z_:.]*:[0-9A-Za-z_:.]*:[0-9A-Za-z_:.]*";

/// Names that say nothing about anybody.
const NOBODY: &[&str] = &["root", "user", "admin", "live", "guest", "debian", "home"];

/// What is cut out of texts.
#[derive(Debug)]
pub struct Knife {
    rules: Vec<(&'static str, Regex, &'static str)>,
    ipv6: Option<Regex>,
}

/// A text without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// What is left.
    pub text: String,
    /// How many of which kind are gone.
    pub removed: BTreeMap<&'static str, usize>,
}

impl Cut {
    /// What was cut, such as "2 passwords, 1 token"; nothing when nothing was.
    pub fn summary(&self) -> Option<String> {
        let parts: Vec<String> = self
            .removed
            .iter()
            .map(|(what, count)| match (*count, *what) {
                (1, what) => format!("1 {what}"),
                (count, what) if what.ends_with("ss") => format!("{count} {what}es"),
                (count, what) => format!("{count} {what}s"),
            })
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

impl Knife {
    /// For a person called `name` on this machine, as their home folder is.
    ///
    /// # Errors
    ///
    /// Never, unless a pattern is wrong, which a test would have found.
    pub fn new(hidden: Hidden, name: Option<&str>) -> Result<Self, regex::Error> {
        let own = name
            .filter(|name| name.chars().count() > 2 && !NOBODY.contains(name))
            .map(|name| format!(r"\b{}\b", regex::escape(name)));
        let mut rules = Vec::new();
        let fixed = RULES.iter().chain([&HOME]);
        let mail = hidden.mail.then_some(&MAIL);
        let addresses = ADDRESSES.iter().filter(|_| hidden.addresses);
        for rule in fixed.chain(mail).chain(addresses) {
            rules.push((rule.what, Regex::new(rule.pattern)?, rule.instead));
        }
        if let Some(own) = own {
            rules.push(("name", Regex::new(&own)?, "[user]"));
        }
        let ipv6 = hidden
            .addresses
            .then(|| Regex::new(MAYBE_IPV6))
            .transpose()?;
        Ok(Self { rules, ipv6 })
    }

    /// `text` without what nobody else should read.
    pub fn cut(&self, text: &str) -> Cut {
        let mut removed = BTreeMap::new();
        let mut text = text.to_owned();
        for (what, pattern, instead) in &self.rules {
            let mut found = 0;
            let replaced = pattern.replace_all(&text, |captures: &Captures<'_>| {
                let mut left = String::new();
                captures.expand(instead, &mut left);
                // An earlier rule may have been here.
                found += usize::from(left != captures[0]);
                left
            });
            text = replaced.into_owned();
            if found > 0 {
                *removed.entry(*what).or_insert(0) += found;
            }
        }
        if let Some(pattern) = &self.ipv6 {
            let mut found = 0;
            let replaced = pattern.replace_all(&text, |captures: &Captures<'_>| {
                let word = &captures[0];
                let address = word.trim_end_matches(['.', ':']);
                if word.parse::<Ipv6Addr>().is_err() && address.parse::<Ipv6Addr>().is_err() {
                    return word.to_owned();
                }
                found += 1;
                "[address]".to_owned()
            });
            text = replaced.into_owned();
            if found > 0 {
                *removed.entry("address").or_insert(0) += found;
            }
        }
        Cut { text, removed }
    }
}

#[cfg(test)]
mod tests;
