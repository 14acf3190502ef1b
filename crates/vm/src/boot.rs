//! One run: start, watch, act, end.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::ChildStdin;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::accel;
use crate::error::{BootError, Evidence};
use crate::machine::{Display, Machine, RuntimeFiles};
use crate::process::{Guard, find_program};
use crate::qmp::Qmp;
use crate::screen;
use crate::serial::{Marker, Serial};
use crate::stillness::Stillness;
use crate::watch::{Act, BootReport, Ending, Shot, Trigger, Watch};
use crate::window::Toolkit;

/// How often the run looks at everything but the serial line.
const PULSE: Duration = Duration::from_millis(100);
/// A socket's path has at most 107 bytes (unix(7)); a name of ours is short.
const TEMP_PATH_LIMIT: usize = 70;

/// Runs `machine` until a marker appears, the time is over, or it ends.
///
/// # Errors
/// See [`BootError`]; those of a machine that ran carry what was seen.
pub fn boot(machine: &Machine, watch: &Watch) -> Result<BootReport, BootError> {
    // QEMU would say the same, but not as clearly.
    File::open(&machine.iso).map_err(BootError::file(&machine.iso))?;
    let qemu = find_program("qemu-system-x86_64")
        .ok_or(BootError::ProgramMissing("qemu-system-x86_64"))?;
    let dir = private_dir()?;
    let files = RuntimeFiles {
        qmp_socket: dir.path().join("qmp"),
        firmware: machine
            .firmware
            .find()?
            .map(|firmware| copy_variables(firmware, dir.path()))
            .transpose()?,
        window: match machine.display {
            Display::Headless => None,
            Display::Window => Some(Toolkit::of(&qemu)?),
        },
    };
    let log = watch
        .serial_log
        .as_ref()
        .map(|path| File::create(path).map_err(BootError::file(path)))
        .transpose()?;
    let acceleration = accel::choose(machine.accel);
    let args = machine.qemu_args(acceleration, &files);
    let guard = Guard::spawn(&qemu, &args).map_err(BootError::file(&qemu))?;
    let mut run = Run::new(guard, &files, watch, log, dir.path())?;
    let ending = run.watch();
    let taken = run.end();
    let ending = ending.map_err(|stop| stop.with(taken.clone()))?;
    Ok(BootReport {
        ending,
        seconds: taken.elapsed.as_secs_f32(),
        firmware: machine.firmware,
        acceleration,
        serial_tail: taken.serial_tail,
        shots: taken.shots,
    })
}

fn private_dir() -> Result<TempDir, BootError> {
    let usual = std::env::temp_dir();
    let base = if usual.as_os_str().len() > TEMP_PATH_LIMIT {
        Path::new("/tmp")
    } else {
        &usual
    };
    tempfile::Builder::new()
        .prefix("isosmith-vm-")
        .tempdir_in(base)
        .map_err(BootError::file(base))
}

/// The machine writes its variables; the installed file stays as it is.
fn copy_variables(
    mut firmware: crate::firmware::FirmwareFiles,
    dir: &Path,
) -> Result<crate::firmware::FirmwareFiles, BootError> {
    let copy = dir.join("variables");
    let bytes = fs::read(&firmware.variables).map_err(BootError::file(&firmware.variables))?;
    // Written, not copied: the installed file's mode is often read-only.
    fs::write(&copy, bytes).map_err(BootError::file(&copy))?;
    firmware.variables = copy;
    Ok(firmware)
}

/// Why watching stopped without success.
#[derive(Debug)]
enum Stop {
    Ended(std::process::ExitStatus),
    Failed(String),
    TimedOut,
    Cancelled,
    Broken(BootError),
}

impl Stop {
    fn with(self, evidence: Evidence) -> BootError {
        let evidence = Box::new(evidence);
        match self {
            Self::Ended(status) => BootError::Ended { status, evidence },
            Self::Failed(marker) => BootError::Failed { marker, evidence },
            Self::TimedOut => BootError::TimedOut { evidence },
            Self::Cancelled => BootError::Cancelled { evidence },
            Self::Broken(error) => error,
        }
    }
}

struct Run<'a> {
    guard: Guard,
    qmp: Qmp,
    watch: &'a Watch,
    log: Option<File>,
    dir: &'a Path,
    started: Instant,
    input: Option<ChildStdin>,
    output: mpsc::Receiver<Vec<u8>>,
    messages: thread::JoinHandle<Vec<String>>,
    serial: Serial,
    pending: Vec<(Trigger, Act)>,
    stillness: Stillness,
    shots: Vec<Shot>,
}

impl<'a> Run<'a> {
    fn new(
        mut guard: Guard,
        files: &RuntimeFiles,
        watch: &'a Watch,
        log: Option<File>,
        dir: &'a Path,
    ) -> Result<Self, BootError> {
        let no_pipe = || BootError::qemu("it has no pipes");
        let (sender, output) = mpsc::channel();
        let mut stdout = guard.take_stdout().ok_or_else(no_pipe)?;
        // Both threads end with QEMU, whose pipes they read.
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let stderr = guard.take_stderr().ok_or_else(no_pipe)?;
        let messages = thread::spawn(move || last_lines(stderr));
        let started = Instant::now();
        let qmp = match Qmp::connect(&files.qmp_socket, &mut guard) {
            Ok(qmp) => qmp,
            Err(error) => {
                drop(guard);
                let said = messages.join().unwrap_or_default().join("; ");
                return Err(BootError::qemu(if said.is_empty() {
                    error.to_string()
                } else {
                    said
                }));
            }
        };
        Ok(Self {
            input: guard.take_stdin(),
            guard,
            qmp,
            watch,
            log,
            dir,
            started,
            output,
            messages,
            serial: Serial::new(watch.longest_text()),
            pending: watch.acts.clone(),
            stillness: Stillness::default(),
            shots: Vec::new(),
        })
    }

    fn watch(&mut self) -> Result<Ending, Stop> {
        loop {
            let ended = self.guard.ended();
            match self.output.recv_timeout(PULSE) {
                Ok(bytes) => self.heard(&bytes).map_err(Stop::Broken)?,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                // QEMU closed its output: it is about to end.
                Err(mpsc::RecvTimeoutError::Disconnected) => thread::sleep(PULSE),
            }
            while let Ok(bytes) = self.output.try_recv() {
                self.heard(&bytes).map_err(Stop::Broken)?;
            }
            if let Err(error) = self.act() {
                // A guest that resets takes QEMU away under the act's hands.
                let ended = self.guard.wait_for(Duration::from_millis(500));
                return Err(ended.map_or(Stop::Broken(error), Stop::Ended));
            }
            // Failure first: a shell after a panic may print anything.
            if let Some(marker) = self.first_of(&self.watch.failure) {
                return Err(Stop::Failed(marker));
            }
            if let Some(marker) = self.first_of(&self.watch.success) {
                return Ok(Ending::Marker(marker));
            }
            self.serial.searched();
            match ended {
                Some(status) if status.success() && self.watch.success.is_empty() => {
                    return Ok(Ending::SwitchedOff);
                }
                Some(status) => return Err(Stop::Ended(status)),
                None => {}
            }
            if self.watch.cancel.load(Ordering::Relaxed) {
                return Err(Stop::Cancelled);
            }
            if self.started.elapsed() > self.watch.timeout {
                return Err(Stop::TimedOut);
            }
        }
    }

    fn first_of(&self, markers: &[Marker]) -> Option<String> {
        markers
            .iter()
            .map(Marker::text)
            .find(|text| self.serial.has(text))
            .map(str::to_owned)
    }

    fn heard(&mut self, bytes: &[u8]) -> Result<(), BootError> {
        self.serial.feed(bytes);
        let (Some(log), Some(path)) = (&mut self.log, &self.watch.serial_log) else {
            return Ok(());
        };
        log.write_all(bytes).map_err(BootError::file(path))
    }

    fn act(&mut self) -> Result<(), BootError> {
        let mut looked = false;
        let mut due = Vec::new();
        for (index, (trigger, _)) in self.pending.iter().enumerate() {
            let is_due = match trigger {
                Trigger::After(time) => self.started.elapsed() >= *time,
                Trigger::Serial(marker) => self.serial.has(marker.text()),
                Trigger::Still { .. } if looked => false,
                Trigger::Still {
                    looks,
                    colours,
                    size,
                } => {
                    looked = true;
                    let picture = self.dir.join("look.ppm");
                    self.stillness
                        .reached(&mut self.qmp, &picture, *looks, *colours, *size)
                }
            };
            if is_due {
                due.push(index);
            }
        }
        let mut acts = Vec::new();
        for index in due.into_iter().rev() {
            acts.push(self.pending.remove(index).1);
        }
        acts.into_iter().rev().try_for_each(|act| self.perform(act))
    }

    fn perform(&mut self, act: Act) -> Result<(), BootError> {
        match act {
            Act::Screendump(path) => self.shoot(&path),
            Act::Press(keys) => self
                .qmp
                .press(&keys)
                .map_err(|error| BootError::qemu(error.to_string())),
            Act::Send(text) => {
                let Some(input) = &mut self.input else {
                    return Ok(());
                };
                input
                    .write_all(text.as_bytes())
                    .map_err(|error| BootError::qemu(error.to_string()))
            }
        }
    }

    fn shoot(&mut self, path: &Path) -> Result<(), BootError> {
        // QEMU runs in the same place, but its user may be told less.
        let png = self.dir.join("shot");
        let refused = |error: crate::qmp::QmpError| BootError::qemu(error.to_string());
        let path = match self.qmp.screendump_png(&png) {
            Ok(()) => path.to_owned(),
            Err(crate::qmp::QmpError::Refused(_)) => {
                self.qmp.screendump_ppm(&png).map_err(refused)?;
                if path.extension() == Some(OsStr::new("png")) {
                    path.with_extension("ppm")
                } else {
                    path.to_owned()
                }
            }
            Err(error) => return Err(refused(error)),
        };
        let bytes = fs::read(&png).map_err(BootError::file(&png))?;
        let (width, height) =
            screen::size(&bytes).ok_or_else(|| BootError::qemu("its picture is unreadable"))?;
        fs::write(&path, bytes).map_err(BootError::file(&path))?;
        self.shots.push(Shot {
            path,
            width,
            height,
            at: self.started.elapsed().as_secs_f32(),
        });
        Ok(())
    }

    /// Takes the last picture, ends QEMU and gathers what is left.
    fn end(mut self) -> Evidence {
        let elapsed = self.started.elapsed();
        if let Some(path) = &self.watch.screendump
            && self.guard.ended().is_none()
        {
            // A run that failed must say why it failed, not that its picture
            // is missing; the list of pictures shows that.
            let _ = self.shoot(path);
        }
        self.qmp.quit();
        self.guard.wait_for(Duration::from_secs(3));
        drop(self.guard);
        while let Ok(bytes) = self.output.try_recv() {
            self.serial.feed(&bytes);
        }
        Evidence {
            elapsed,
            serial_tail: self.serial.tail(),
            qemu_tail: self.messages.join().unwrap_or_default(),
            shots: self.shots,
        }
    }
}

fn last_lines(mut stream: impl Read) -> Vec<String> {
    let mut lines = Serial::new(0);
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        lines.feed(&buffer[..count]);
        lines.searched();
    }
    lines.tail()
}
