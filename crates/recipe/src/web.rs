//! The network as a build sees it: small files whole, large ones as streams.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use isosmith_engine::Failure;
use isosmith_protocol::Code;
use ureq::{
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

use crate::strength::MOST_DOWNLOADS;

/// No Release file is larger.
const MAX_RELEASE: u64 = 16 << 20;

/// Where files come from; a trait so that a rehearsal needs no network.
pub trait Web: std::fmt::Debug + Send + Sync {
    /// Fetches a small file whole; `None` when the server has none.
    ///
    /// # Errors
    ///
    /// [`Code::MirrorUnreachable`] or [`Code::DownloadFailed`].
    fn get(&self, url: &str) -> Result<Option<Vec<u8>>, Failure>;

    /// Begins to fetch a file of any size.
    ///
    /// # Errors
    ///
    /// As [`Web::get`], and [`Code::FileMissingOnMirror`].
    fn open(&self, url: &str) -> Result<Box<dyn Read>, Failure>;
}

/// The real network.
#[derive(Debug, Clone)]
pub struct Network {
    agent: ureq::Agent,
}

impl Network {
    /// Through `proxy`, or straight.
    ///
    /// # Errors
    ///
    /// [`Code::ProfileInvalid`] for a proxy that cannot be one.
    pub fn new(proxy: Option<&str>) -> Result<Self, Failure> {
        let proxy = proxy.map(ureq::Proxy::new).transpose().map_err(|error| {
            Failure::new(
                Code::ProfileInvalid,
                "the proxy cannot be used",
                "Correct base.proxy.",
            )
            .because(error)
        })?;
        let config = ureq::Agent::config_builder()
            .proxy(proxy)
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_recv_response(Some(Duration::from_secs(30)))
            .timeout_recv_body(Some(Duration::from_secs(600)))
            .max_idle_connections_per_host(MOST_DOWNLOADS)
            .user_agent(concat!("isosmith/", env!("CARGO_PKG_VERSION")))
            .tls_config(
                ureq::tls::TlsConfig::builder()
                    .root_certs(ureq::tls::RootCerts::PlatformVerifier)
                    .build(),
            )
            .build();
        let agent = ureq::Agent::with_parts(
            config,
            DefaultConnector::default(),
            Remembering::<DefaultResolver>::default(),
        );
        Ok(Self { agent })
    }
}

impl Web for Network {
    fn get(&self, url: &str) -> Result<Option<Vec<u8>>, Failure> {
        if let Some(path) = url.strip_prefix("file:") {
            return match fs::read(path.trim_start_matches("//")) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Failure::io(format!("read {path}"), error)),
            };
        }
        match self.agent.get(url).call() {
            Ok(mut response) => response
                .body_mut()
                .with_config()
                .limit(MAX_RELEASE)
                .read_to_vec()
                .map(Some)
                .map_err(|error| explain(url, error)),
            Err(ureq::Error::StatusCode(404 | 410)) => Ok(None),
            Err(error) => Err(explain(url, error)),
        }
    }

    fn open(&self, url: &str) -> Result<Box<dyn Read>, Failure> {
        if let Some(path) = url.strip_prefix("file:") {
            let path = path.trim_start_matches("//");
            let file =
                File::open(path).map_err(|error| Failure::io(format!("read {path}"), error))?;
            return Ok(Box::new(file));
        }
        let response = self
            .agent
            .get(url)
            .call()
            .map_err(|error| explain(url, error))?;
        Ok(Box::new(response.into_body().into_reader()))
    }
}

fn explain(url: &str, error: ureq::Error) -> Failure {
    // ureq adds kinds of errors without notice; what is not named here is a broken download.
    #[allow(clippy::wildcard_enum_match_arm)]
    let (code, message) = match &error {
        ureq::Error::StatusCode(404 | 410) => (
            Code::FileMissingOnMirror,
            format!("the mirror does not have {url}"),
        ),
        ureq::Error::StatusCode(status) => (
            Code::DownloadFailed,
            format!("the mirror answered {status} for {url}"),
        ),
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
            (Code::MirrorUnreachable, format!("no connection for {url}"))
        }
        ureq::Error::Io(inner) if connecting(inner) => {
            (Code::MirrorUnreachable, format!("no connection for {url}"))
        }
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            (Code::MirrorUnreachable, format!("no connection for {url}"))
        }
        _ => (
            Code::DownloadFailed,
            format!("the download of {url} broke off"),
        ),
    };
    Failure::plain(code, message).because(error)
}

fn connecting(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable
    ) || error.to_string().contains("lookup address")
}

/// Asks for each host's addresses once in a while. A build makes hundreds of connections to a
/// few hosts, and one lost answer of a name server costs the system's resolver five seconds
/// (`resolv.conf(5)`, `timeout`).
#[derive(Debug)]
struct Remembering<R> {
    ask: R,
    /// How long addresses are good: a host may move, and a machine its network.
    good: Duration,
    known: Mutex<BTreeMap<String, Heard>>,
}

/// What was last heard of a host.
#[derive(Debug)]
struct Heard {
    at: Instant,
    /// `None` if it was not found.
    addresses: Option<ResolvedSocketAddrs>,
}

/// Connections that wait for the same question share its failure instead of asking one after
/// the other. Shorter than the pause before another attempt.
const FAILED: Duration = Duration::from_millis(500);

impl<R: Default> Default for Remembering<R> {
    fn default() -> Self {
        Self {
            ask: R::default(),
            good: Duration::from_secs(60),
            known: Mutex::default(),
        }
    }
}

impl<R: Resolver> Resolver for Remembering<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let name = format!("{:?} {:?}", uri.scheme(), uri.authority());
        // Held while asking, so that connections that start together ask once.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&name) {
            Some(heard) if heard.is_good(self.good) => {
                return heard.addresses.clone().ok_or(ureq::Error::HostNotFound);
            }
            Some(_) | None => {}
        }
        let answer = self.ask.resolve(uri, config, timeout);
        let heard = Heard {
            at: Instant::now(),
            addresses: answer.as_ref().ok().cloned(),
        };
        known.insert(name, heard);
        answer
    }
}

impl Heard {
    fn is_good(&self, good: Duration) -> bool {
        let good = match self.addresses {
            Some(_) => good,
            None => FAILED.min(good),
        };
        self.at.elapsed() < good
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Knows every host but `gone`.
    #[derive(Debug, Default)]
    struct Counting(AtomicUsize);

    impl Resolver for Counting {
        fn resolve(
            &self,
            uri: &Uri,
            _config: &ureq::config::Config,
            _timeout: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, ureq::Error> {
            self.0.fetch_add(1, Ordering::Relaxed);
            if uri.host() == Some("gone") {
                return Err(ureq::Error::HostNotFound);
            }
            let mut addresses = self.empty();
            addresses.push(([192, 0, 2, 1], 80).into());
            Ok(addresses)
        }
    }

    #[test]
    fn a_host_is_asked_for_once_as_long_as_that_is_good() {
        let long = Duration::from_secs(3600);
        let check = |good, uris: &[&'static str], asked: usize| {
            let resolver = Remembering::<Counting> {
                good,
                ..Remembering::default()
            };
            let config = ureq::Agent::config_builder().build();
            for &uri in uris {
                let timeout = NextTimeout {
                    after: ureq::unversioned::transport::time::Duration::NotHappening,
                    reason: ureq::Timeout::Resolve,
                    ..NextTimeout::default()
                };
                let found = resolver.resolve(&Uri::from_static(uri), &config, timeout);
                assert_eq!(found.is_ok(), !uri.contains("gone"), "{uri}");
            }
            assert_eq!(resolver.ask.0.load(Ordering::Relaxed), asked, "{uris:?}");
        };
        check(long, &["http://a/x", "http://a/y"], 1);
        check(long, &["http://a/x", "http://b/x", "https://a/x"], 3);
        check(Duration::ZERO, &["http://a/x", "http://a/y"], 2);
        check(Duration::ZERO, &["http://gone/", "http://gone/"], 2);
        // Well within the half second that a failure is shared for.
        check(long, &["http://gone/", "http://gone/"], 1);
    }
}
