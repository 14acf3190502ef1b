//! An archive of a test's own, and the server that it is read from.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops with a message"
)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use lzma_rust2::{XzOptions, XzWriter};
use sha2::{Digest, Sha256};

/// What goes wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This status in the place of an answer.
    Status(u16),
    /// The connection ends after half of the body.
    Half,
    /// The last byte of the body is another one.
    Corrupt,
    /// The body goes on after its end, and its length says so.
    Longer,
}

#[derive(Debug, Default)]
struct Shared {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    faults: Mutex<Vec<(String, Fault)>>,
    /// Path and status of every answer.
    log: Mutex<Vec<(String, u16)>>,
    validators: AtomicBool,
    over: AtomicBool,
}

/// A server at work; it ends when the value goes.
#[derive(Debug)]
pub struct Archive {
    port: u16,
    shared: Arc<Shared>,
}

impl Archive {
    /// An empty archive on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        shared.validators.store(true, Ordering::Relaxed);
        let inner = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if inner.over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&inner);
                thread::spawn(move || drop(serve(&stream, &shared)));
            }
        });
        Self { port, shared }
    }

    pub fn uri(&self) -> String {
        format!("http://127.0.0.1:{}/debian", self.port)
    }

    /// Puts a suite there, with a Release file for its `lists`: path and content.
    pub fn publish(&self, suite: &str, head: &str, lists: &[(&str, Vec<u8>)]) {
        let mut release =
            format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{head}SHA256:\n");
        for (path, bytes) in lists {
            let sum = hex(bytes);
            writeln!(release, " {sum} {} {path}", bytes.len()).unwrap();
            self.put(&format!("/debian/dists/{suite}/{path}"), bytes.clone());
            if head.contains("By-Hash") {
                let folder = path.rsplit_once('/').unwrap().0;
                let path = format!("/debian/dists/{suite}/{folder}/by-hash/SHA256/{sum}");
                self.put(&path, bytes.clone());
            }
        }
        release += "-----BEGIN PGP SIGNATURE-----\n\nnone\n-----END PGP SIGNATURE-----\n";
        self.put(&format!("/debian/dists/{suite}/InRelease"), release.into());
    }

    /// `trixie` with these packages in `main`.
    pub fn packages(&self, text: &str) {
        self.publish("trixie", "Suite: trixie\n", &[(MAIN, xz(text.as_bytes()))]);
    }

    pub fn put(&self, path: &str, bytes: Vec<u8>) {
        locked(&self.shared.files).insert(path.to_owned(), bytes);
    }

    /// Lets something go wrong with every file whose path has `part` in it.
    pub fn fault(&self, part: &str, fault: Fault) {
        locked(&self.shared.faults).push((part.to_owned(), fault));
    }

    pub fn heal(&self) {
        locked(&self.shared.faults).clear();
    }

    /// No more `ETag`: files have to be compared by what is in them.
    pub fn without_validators(&self) {
        self.shared.validators.store(false, Ordering::Relaxed);
    }

    /// What was asked for since the last time: file names and statuses.
    pub fn asked(&self) -> Vec<(String, u16)> {
        let log = std::mem::take(&mut *locked(&self.shared.log));
        let name = |path: String| path.rsplit('/').next().unwrap_or_default().to_owned();
        log.into_iter()
            .map(|(path, status)| (name(path), status))
            .collect()
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for the next connection.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// The list of `main`.
pub const MAIN: &str = "main/binary-amd64/Packages.xz";

pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().unwrap_or(Ok(String::new()))?;
    let path = request.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut known = String::new();
    for line in lines {
        let line = line?;
        if let Some(tag) = line.to_ascii_lowercase().strip_prefix("if-none-match: ") {
            known = tag.to_owned();
        }
        if line.is_empty() {
            break;
        }
    }
    let fault = locked(&shared.faults)
        .iter()
        .find(|(part, _)| path.contains(part))
        .map(|(_, fault)| *fault);
    let file = locked(&shared.files).get(&path).cloned();
    let mut body = file.clone().unwrap_or_default();
    let tag = format!("\"{}\"", hex(&body));
    let with_tags = shared.validators.load(Ordering::Relaxed);
    let status = match (fault, &file) {
        (Some(Fault::Status(status)), _) => status,
        (_, None) => 404,
        (_, Some(_)) if known == tag && with_tags => 304,
        (_, Some(_)) => 200,
    };
    locked(&shared.log).push((path, status));
    if status != 200 {
        body.clear();
    }
    match fault {
        Some(Fault::Corrupt) => {
            if let Some(last) = body.last_mut() {
                *last ^= 1;
            }
        }
        Some(Fault::Longer) => body.extend_from_slice(&[0; 100]),
        None | Some(Fault::Status(_) | Fault::Half) => {}
    }
    write!(stream, "HTTP/1.1 {status} X\r\nConnection: close\r\n")?;
    if with_tags {
        write!(stream, "ETag: {tag}\r\n")?;
    }
    write!(stream, "Content-Length: {}\r\n\r\n", body.len())?;
    if fault == Some(Fault::Half) {
        body.truncate(body.len() / 2);
    }
    stream.write_all(&body)
}
