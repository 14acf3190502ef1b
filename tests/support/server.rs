//! HTTP/1.1 from a folder, with faults.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Result;

/// What goes wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This status in the place of an answer.
    Status(u16),
    /// The connection is reset after so many bytes of the body.
    Reset(u64),
    /// Nothing more comes after so many bytes of the body, until the fault is taken away.
    Stall(u64),
    /// The last byte of the body is another one.
    Corrupt,
    /// The body ends one byte early, and its length says so.
    Short,
    /// So many milliseconds go by before the answer.
    Slow(u64),
}

#[derive(Debug)]
struct Shared {
    root: PathBuf,
    /// By a part of the path; the first that fits holds.
    faults: Mutex<Vec<(String, Fault)>>,
    counts: Mutex<BTreeMap<String, usize>>,
    over: AtomicBool,
}

/// A server at work; it ends when the value goes.
#[derive(Debug)]
pub struct Server {
    port: u16,
    shared: Arc<Shared>,
}

impl Server {
    /// Serves `root` on a free port of this machine.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub fn start(root: &Path) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            faults: Mutex::default(),
            counts: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let inner = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if inner.over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&inner);
                thread::spawn(move || drop(serve(stream, &shared)));
            }
        });
        Ok(Self { port, shared })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets something go wrong with every file whose path has `part` in it.
    pub fn fault(&self, part: &str, fault: Fault) {
        locked(&self.shared.faults).push((part.to_owned(), fault));
    }

    /// Everything goes right again.
    pub fn heal(&self) {
        locked(&self.shared.faults).clear();
    }

    /// How often files whose path has `part` in it were asked for.
    pub fn count(&self, part: &str) -> usize {
        let counts = locked(&self.shared.counts);
        counts
            .iter()
            .filter(|(path, _)| path.contains(part))
            .map(|(_, count)| count)
            .sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for the next connection.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?);
    loop {
        let mut request = String::new();
        if lines.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut start = 0;
        loop {
            let mut line = String::new();
            lines.read_line(&mut line)?;
            let lower = line.to_ascii_lowercase();
            if let Some(range) = lower.strip_prefix("range: bytes=") {
                start = range.trim().trim_end_matches('-').parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let target = request.split(' ').nth(1).unwrap_or("/");
        let path = target
            .split('?')
            .next()
            .unwrap_or("/")
            .replace("%2b", "+")
            .replace("%2B", "+")
            .replace("%7e", "~");
        let head = request.starts_with("HEAD");
        if !answer(&stream, shared, &path, start, head)? {
            return Ok(());
        }
    }
}

/// Answers one request; `false` when the connection is over.
fn answer(
    stream: &TcpStream,
    shared: &Shared,
    path: &str,
    start: u64,
    head: bool,
) -> std::io::Result<bool> {
    *locked(&shared.counts).entry(path.to_owned()).or_default() += 1;
    let find = || {
        locked(&shared.faults)
            .iter()
            .find(|(part, _)| path.contains(part.as_str()))
            .map(|(_, fault)| *fault)
    };
    let fault = find();
    match fault {
        Some(Fault::Status(status)) => return refuse(stream, status),
        Some(Fault::Slow(time)) => thread::sleep(Duration::from_millis(time)),
        Some(Fault::Reset(_) | Fault::Stall(_) | Fault::Corrupt | Fault::Short) | None => {}
    }
    let file = shared.root.join(path.trim_start_matches('/'));
    let outside = path.split('/').any(|part| part == "..");
    let Ok(mut file) = File::open(&file) else {
        return refuse(stream, 404);
    };
    let meta = file.metadata()?;
    if outside || !meta.is_file() {
        return refuse(stream, 404);
    }
    let mut body = Vec::new();
    file.read_to_end(&mut body)?;
    if fault == Some(Fault::Short) {
        body.pop();
    }
    if fault == Some(Fault::Corrupt)
        && let Some(last) = body.last_mut()
    {
        *last ^= 1;
    }
    let whole = body.len();
    let body = body
        .get(usize::try_from(start).unwrap_or(0)..)
        .unwrap_or_default();
    let status = if start > 0 {
        "206 Partial Content"
    } else {
        "200 OK"
    };
    let range = if start > 0 {
        format!(
            "Content-Range: bytes {start}-{}/{whole}\r\n",
            whole.saturating_sub(1)
        )
    } else {
        String::new()
    };
    let mut to = stream;
    write!(
        to,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{range}\r\n",
        body.len()
    )?;
    if head {
        return Ok(true);
    }
    let cut = |count: u64| &body[..usize::try_from(count).unwrap_or(body.len()).min(body.len())];
    match fault {
        Some(Fault::Reset(count)) => {
            to.write_all(cut(count))?;
            // Unread input makes the kernel send a reset instead of an end.
            let _ = stream.shutdown(Shutdown::Both);
            Ok(false)
        }
        Some(Fault::Stall(count)) => {
            to.write_all(cut(count))?;
            while find() == fault && !shared.over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(50));
            }
            Ok(false)
        }
        Some(Fault::Status(_) | Fault::Corrupt | Fault::Short | Fault::Slow(_)) | None => {
            to.write_all(body)?;
            Ok(true)
        }
    }
}

fn refuse(mut stream: &TcpStream, status: u16) -> std::io::Result<bool> {
    write!(
        stream,
        "HTTP/1.1 {status} Refused\r\nContent-Length: 0\r\n\r\n"
    )?;
    Ok(true)
}
