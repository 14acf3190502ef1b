//! Doors of a machine.

use std::fmt;
use std::str::FromStr;

use crate::problem::{Reason, nearest, quote};

/// What carries the traffic of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// As nftables, ufw and services(5) write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// A port with its protocol, written `22/tcp` (as in services(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    number: u16,
    protocol: Protocol,
}

impl Port {
    /// A regular expression for the schema; it lets in numbers up to 99999.
    pub const PATTERN: &'static str = "^[1-9][0-9]{0,4}/(tcp|udp)$";

    /// 1 to 65535.
    pub const fn number(self) -> u16 {
        self.number
    }

    /// TCP or UDP.
    pub const fn protocol(self) -> Protocol {
        self.protocol
    }

    /// Takes `NUMBER/tcp` or `NUMBER/udp`.
    ///
    /// # Errors
    /// Why it is neither, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let Some((digits, protocol)) = text.split_once('/') else {
            let fix = match number(text) {
                Some(number) => format!("write `{number}/tcp` or `{number}/udp`"),
                None => EXAMPLE.to_owned(),
            };
            return Err(Reason::new(
                format!("{} does not say whether TCP or UDP is meant", quote(text)),
                fix,
            ));
        };
        let Some(number) = number(digits) else {
            return Err(Reason::new(
                format!("{} is not the number of a port", quote(digits)),
                "write a number from 1 to 65535, such as `22/tcp`",
            ));
        };
        let protocol = match protocol {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            other => {
                let near = nearest(other, ["tcp", "udp"]).unwrap_or("tcp");
                return Err(Reason::new(
                    format!("{} is neither `tcp` nor `udp`", quote(other)),
                    format!("write `{number}/{near}`"),
                ));
            }
        };
        Ok(Self { number, protocol })
    }
}

const EXAMPLE: &str = "write it as NUMBER/tcp or NUMBER/udp, such as `22/tcp`";

/// Plain digits without a sign or leading zeros, not 0.
fn number(text: &str) -> Option<u16> {
    let plain = !text.starts_with('0') && text.chars().all(|c| c.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol.as_str())
    }
}

impl FromStr for Port {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        Self::parse(text)
    }
}
