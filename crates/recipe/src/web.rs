//! The network as a build sees it: small files whole, large ones as streams.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    sync::{Mutex, PoisonError},
    time::Duration,
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

use crate::fetch::LANES;

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
            .max_idle_connections_per_host(LANES)
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

/// Asks for each host's addresses once. A build makes hundreds of connections to a few hosts,
/// and one lost answer of a name server costs the system's resolver five seconds
/// (`resolv.conf(5)`, `timeout`).
#[derive(Debug, Default)]
struct Remembering<R> {
    ask: R,
    known: Mutex<BTreeMap<String, ResolvedSocketAddrs>>,
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
        if let Some(addresses) = known.get(&name) {
            return Ok(addresses.clone());
        }
        let addresses = self.ask.resolve(uri, config, timeout)?;
        known.insert(name, addresses.clone());
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Fails once, then knows every host.
    #[derive(Debug, Default)]
    struct Counting(AtomicUsize);

    impl Resolver for Counting {
        fn resolve(
            &self,
            _uri: &Uri,
            _config: &ureq::config::Config,
            _timeout: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, ureq::Error> {
            if self.0.fetch_add(1, Ordering::Relaxed) == 0 {
                return Err(ureq::Error::HostNotFound);
            }
            let mut addresses = self.empty();
            addresses.push(([192, 0, 2, 1], 80).into());
            Ok(addresses)
        }
    }

    #[test]
    fn a_host_is_asked_for_once_and_a_failure_is_not_remembered() {
        let resolver = Remembering::<Counting>::default();
        let config = ureq::Agent::config_builder().build();
        let look_up = |uri: &'static str| {
            let timeout = NextTimeout {
                after: ureq::unversioned::transport::time::Duration::NotHappening,
                reason: ureq::Timeout::Resolve,
                ..NextTimeout::default()
            };
            resolver.resolve(&Uri::from_static(uri), &config, timeout)
        };
        let asked = || resolver.ask.0.load(Ordering::Relaxed);
        assert!(look_up("http://a.example/x").is_err());
        for uri in ["http://a.example/x", "http://a.example/y"] {
            let addresses = look_up(uri).expect("known now");
            assert_eq!(addresses.len(), 1);
        }
        assert_eq!(asked(), 2);
        look_up("http://b.example/").expect("known");
        look_up("https://a.example/").expect("another port");
        assert_eq!(asked(), 4);
    }
}
