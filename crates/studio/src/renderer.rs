//! Pictures are hostile: they are decoded and drawn in a process of its own with limits.
//!
//! The program starts itself again with a hidden argument; that process gets the files' bytes
//! and gives PNGs back, over its standard streams. It stays warm, so that the pictures need not
//! be decoded for every keystroke. When it dies or takes too long it is ended and the next
//! request starts another.

mod serve;
mod wire;

use std::{
    collections::HashMap,
    ffi::OsString,
    fmt::Write as _,
    fs, io,
    io::{BufWriter, Read, Write},
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use isosmith_protocol::Code;
use sha2::{Digest, Sha256};

use crate::{
    Error, Result, Scene, disk,
    model::{Preview, PreviewWarning, Severity},
};
pub use serve::serve;
use wire::{Answer, Ask, Sent};

/// The hidden argument with which the program starts as a renderer.
pub const ARGUMENT: &str = "--render";

/// A request that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// After so many requests a new process begins, so that its limit on processor time never ends
/// a good one.
const MOST_REQUESTS: u32 = 1000;

/// How to start the renderer, and the one that runs.
#[derive(Debug)]
pub struct Renderer {
    program: PathBuf,
    arguments: Vec<OsString>,
    running: Option<Running>,
    /// Hashes of files, by what tells whether a file is still the same.
    hashes: HashMap<Identity, String>,
}

/// Path, device, inode, size, seconds and nanoseconds of its last change.
type Identity = (PathBuf, u64, u64, u64, i64, i64);

#[derive(Debug)]
struct Running {
    child: Child,
    asks: SyncSender<(Ask, Vec<Vec<u8>>)>,
    answers: Receiver<io::Result<(Answer, Vec<u8>)>>,
    /// Hashes that it was sent; it may have forgotten some.
    sent: Vec<String>,
    served: u32,
}

/// A picture file that was read or is known by its hash.
struct File {
    field: String,
    path: PathBuf,
    hash: String,
}

impl Default for Renderer {
    fn default() -> Self {
        Self::new()
    }
}

impl Renderer {
    /// This very program. Nothing is started yet.
    pub fn new() -> Self {
        // Not its path: the file may have been replaced by an update meanwhile.
        Self::of(Path::new("/proc/self/exe"), &[ARGUMENT])
    }

    /// Another program that calls [`serve`] when it gets these arguments.
    pub fn of(program: &Path, arguments: &[&str]) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.iter().map(OsString::from).collect(),
            running: None,
            hashes: HashMap::new(),
        }
    }

    /// Starts the process, so that the first preview need not wait for it.
    pub fn warm_up(&mut self) {
        // Whoever draws next says why it does not start.
        let _ = self.running();
    }

    /// Draws a surface. A picture that cannot be used is left out, and a warning says why.
    ///
    /// # Errors
    ///
    /// [`Code::MaterialInvalid`] when drawing took over 10 seconds or brought the renderer down;
    /// [`Code::CommandMissing`] when it cannot be started.
    pub fn draw(&mut self, scene: &Scene) -> Result<Preview> {
        let (files, mut warnings) = self.files(scene);
        let mut answer = self.ask(scene, &files, false)?;
        if answer.0 == Answer::Missing {
            answer = self.ask(scene, &files, true)?;
        }
        match answer {
            (Answer::Drawn { warnings: more, .. }, png) => {
                warnings.extend(more);
                Ok(Preview { png, warnings })
            }
            (Answer::Missing, _) => Err(self.fault("the renderer asks for a picture twice")),
        }
    }

    /// What a picture of this scene depends on, as a name for a cache: the scene, its pictures'
    /// bytes, and this version of Isosmith.
    pub(crate) fn key(&mut self, scene: &Scene) -> String {
        let (files, _) = self.files(scene);
        let hashes: Vec<_> = files.iter().map(|file| (&file.field, &file.hash)).collect();
        let version = env!("CARGO_PKG_VERSION");
        let what = serde_json::json!([version, scene.without_files(), hashes]);
        hex(&Sha256::digest(what.to_string()))
    }

    fn files(&mut self, scene: &Scene) -> (Vec<File>, Vec<PreviewWarning>) {
        let mut files = Vec::new();
        let mut warnings = Vec::new();
        for (field, path) in scene.pictures() {
            match self.hash(path) {
                Ok(hash) => files.push(File {
                    field,
                    path: path.to_owned(),
                    hash,
                }),
                Err(error) => warnings.push(PreviewWarning {
                    severity: Severity::Error,
                    field,
                    message: format!("{} cannot be read: {error}.", path.display()),
                }),
            }
        }
        (files, warnings)
    }

    fn hash(&mut self, path: &Path) -> io::Result<String> {
        let meta = fs::metadata(path)?;
        let identity = (
            path.to_owned(),
            meta.dev(),
            meta.ino(),
            meta.size(),
            meta.ctime(),
            meta.ctime_nsec(),
        );
        if let Some(hash) = self.hashes.get(&identity) {
            return Ok(hash.clone());
        }
        let hash = hex(&Sha256::digest(disk::read(path, wire::MOST_FILE)?));
        if self.hashes.len() > 64 {
            self.hashes.clear();
        }
        self.hashes.insert(identity, hash.clone());
        Ok(hash)
    }

    fn ask(&mut self, scene: &Scene, files: &[File], again: bool) -> Result<(Answer, Vec<u8>)> {
        let running = self.running()?;
        let mut bytes = Vec::new();
        let mut pictures = Vec::new();
        for file in files {
            let known = !again && running.sent.contains(&file.hash);
            let content = match known {
                true => None,
                false => Some(
                    disk::read(&file.path, wire::MOST_FILE)
                        .map_err(|error| Error::io("read", &file.path, &error))?,
                ),
            };
            pictures.push(Sent {
                field: file.field.clone(),
                hash: file.hash.clone(),
                bytes: content.as_ref().map(|content| content.len() as u64),
            });
            running.sent.push(file.hash.clone());
            bytes.extend(content);
        }
        running.sent.dedup();
        running.served += 1;
        let ask = Ask {
            scene: scene.clone(),
            pictures,
        };
        if running.asks.send((ask, bytes)).is_err() {
            return Err(self.fault("the renderer has gone"));
        }
        match running.answers.recv_timeout(PATIENCE) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.fault(&error.to_string())),
            Err(RecvTimeoutError::Timeout) => Err(self.fault("it took longer than 10 seconds")),
            Err(RecvTimeoutError::Disconnected) => Err(self.fault("the renderer has gone")),
        }
    }

    /// Ends the process and says what may have been the matter.
    fn fault(&mut self, why: &str) -> Error {
        self.running = None;
        Error::new(
            Code::MaterialInvalid,
            "the preview could not be drawn",
            "If it happens again, choose another logo or wallpaper, or a smaller one.",
        )
        .because(why)
    }

    fn running(&mut self) -> Result<&mut Running> {
        let gone = |running: &mut Running| {
            running.served >= MOST_REQUESTS || !matches!(running.child.try_wait(), Ok(None))
        };
        if self.running.as_mut().is_some_and(gone) {
            self.running = None;
        }
        match &mut self.running {
            Some(_) => {}
            empty @ None => {
                *empty = Some(
                    Running::start(&self.program, &self.arguments).map_err(|error| {
                        Error::new(
                            Code::CommandMissing,
                            "the renderer cannot be started",
                            "Close some programs and try again.",
                        )
                        .because(error.to_string())
                    })?,
                );
            }
        }
        self.running.as_mut().ok_or_else(|| {
            Error::new(
                Code::Internal,
                "the renderer was not kept",
                "This is a fault in Isosmith; please report it.",
            )
        })
    }
}

impl Running {
    fn start(program: &Path, arguments: &[OsString]) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg0("isosmith-render")
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("it has no streams"));
        };
        let (asks, asked) = sync_channel(1);
        let (answered, answers) = sync_channel(1);
        // Streams block; whoever waits for an answer must be able to give up.
        thread::Builder::new()
            .name("renderer".to_owned())
            .spawn(move || talk(to, from, &asked, &answered))?;
        Ok(Self {
            child,
            asks,
            answers,
            sent: Vec::new(),
            served: 0,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn talk(
    to: impl Write,
    mut from: impl Read,
    asked: &Receiver<(Ask, Vec<Vec<u8>>)>,
    answered: &SyncSender<io::Result<(Answer, Vec<u8>)>>,
) {
    let mut to = BufWriter::new(to);
    while let Ok((ask, bytes)) = asked.recv() {
        let answer = one(&mut to, &mut from, &ask, &bytes);
        let broken = answer.is_err();
        if answered.send(answer).is_err() || broken {
            return;
        }
    }
}

fn one(
    to: &mut impl Write,
    from: &mut impl Read,
    ask: &Ask,
    bytes: &[Vec<u8>],
) -> io::Result<(Answer, Vec<u8>)> {
    wire::write(to, ask)?;
    for bytes in bytes {
        to.write_all(bytes)?;
    }
    to.flush()?;
    let answer =
        wire::read::<Answer>(from)?.ok_or_else(|| io::Error::other("the renderer has ended"))?;
    let png = match &answer {
        Answer::Drawn { png, .. } => wire::read_png(from, *png)?,
        Answer::Missing => Vec::new(),
    };
    Ok((answer, png))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
