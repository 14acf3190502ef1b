//! Downloads, within limits.

use std::{
    io::{self, Read},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use ureq::http::{HeaderMap, header};

use crate::trouble::{self, Outcome};

/// What a server said of a file, to ask later whether it is still the same (RFC 9110,
/// section 13).
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Validators {
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It is what it was.
    Unchanged,
    /// There is no such file.
    Missing,
    /// The whole file.
    File(Vec<u8>, Validators),
}

/// The way to the archives.
#[derive(Debug)]
pub(crate) struct Web<'a> {
    agent: ureq::Agent,
    cancel: &'a AtomicBool,
}

impl<'a> Web<'a> {
    /// Through `proxy`, or straight; a download ends soon after `cancel` is set.
    pub(crate) fn new(proxy: Option<&str>, cancel: &'a AtomicBool) -> Outcome<Self> {
        let proxy = proxy
            .map(ureq::Proxy::new)
            .transpose()
            .map_err(|error| trouble::unreachable("the proxy", error))?;
        let config = ureq::Agent::config_builder()
            .proxy(proxy)
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_recv_response(Some(Duration::from_secs(30)))
            .timeout_recv_body(Some(Duration::from_secs(600)))
            .user_agent(concat!("isosmith/", env!("CARGO_PKG_VERSION")))
            .tls_config(
                ureq::tls::TlsConfig::builder()
                    .root_certs(ureq::tls::RootCerts::PlatformVerifier)
                    .build(),
            )
            .build();
        Ok(Self {
            agent: ureq::Agent::new_with_config(config),
            cancel,
        })
    }

    /// Fetches a file of at most `limit` bytes, unless it is what `known` stands for. `came` is
    /// told of each piece how long it is.
    pub(crate) fn get(
        &self,
        url: &str,
        known: &Validators,
        limit: u64,
        came: &mut dyn FnMut(u64),
    ) -> Outcome<Answer> {
        self.check()?;
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(trouble::broken(url, "only http and https can be read"));
        }
        let mut request = self.agent.get(url);
        if let Some(etag) = &known.etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(date) = &known.last_modified {
            request = request.header(header::IF_MODIFIED_SINCE, date);
        }
        let mut response = match request.call() {
            Ok(response) => response,
            Err(ureq::Error::StatusCode(404 | 410)) => return Ok(Answer::Missing),
            Err(error) => return Err(explain(url, &error)),
        };
        if response.status() == 304 {
            return Ok(Answer::Unchanged);
        }
        let validators = Validators {
            etag: text_of(response.headers(), &header::ETAG),
            last_modified: text_of(response.headers(), &header::LAST_MODIFIED),
        };
        let mut bytes = Vec::new();
        let mut body = response.body_mut().as_reader();
        let mut piece = vec![0; 1 << 16];
        loop {
            self.check()?;
            let read = match body.read(&mut piece) {
                Ok(0) => return Ok(Answer::File(bytes, validators)),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(trouble::broken(url, error)),
            };
            if bytes.len() as u64 + read as u64 > limit {
                let why = format!("it is larger than {} MiB", limit >> 20);
                return Err(trouble::broken(url, why));
            }
            bytes.extend_from_slice(&piece[..read]);
            came(read as u64);
        }
    }

    fn check(&self) -> Outcome<()> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(trouble::cancelled());
        }
        Ok(())
    }
}

fn text_of(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (text.len() <= 256).then(|| text.to_owned())
}

fn explain(url: &str, error: &ureq::Error) -> Box<isosmith_protocol::ErrorView> {
    // ureq adds kinds of errors without notice; what is not named here is a bad answer.
    #[allow(clippy::wildcard_enum_match_arm)]
    match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Io(_)
        | ureq::Error::Timeout(_) => trouble::unreachable(url, error),
        ureq::Error::StatusCode(status) => {
            trouble::broken(url, format!("the mirror answered {status}"))
        }
        _ => trouble::broken(url, error),
    }
}
