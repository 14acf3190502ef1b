//! The folder that an ISO goes to, known by descriptor only.

use std::{
    fs, io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    path::Path,
    time::Duration,
};

use isosmith_engine::Failure;
use isosmith_host::user::{User, UserAnswer, UserTask, run_as_user};
use isosmith_protocol::Code;
use nix::{
    errno::Errno,
    fcntl::{OFlag, openat},
    sys::stat::{Mode, SFlag, fstat},
};

use crate::{
    deliver::{Answer, FOLDER, Task},
    places::Places,
    refusal::{Kind, Refusal},
};

/// Most folders in one another that are looked through.
const DEEPEST: usize = 512;

/// How long a folder may take to answer a simple question.
const SOON: Duration = Duration::from_secs(60);

/// An open folder of whoever asked.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    shown: String,
}

impl Folder {
    /// Takes a descriptor if it is an existing folder outside of our own, into which `user`
    /// may write.
    ///
    /// # Errors
    ///
    /// [`Kind::InvalidOutput`].
    pub fn take(fd: OwnedFd, user: &User, places: &Places) -> Result<Self, Refusal> {
        let refused = |what: &str| {
            Refusal::of(
                Kind::InvalidOutput,
                Failure::new(
                    Code::AccessDenied,
                    format!("the output folder {what}"),
                    "Choose a folder of your own that can be written.",
                ),
            )
        };
        let stat = fstat(&fd).map_err(|error| refused(&format!("cannot be looked at: {error}")))?;
        if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFDIR {
            return Err(refused("is no folder"));
        }
        if stat.st_nlink == 0 {
            return Err(refused("has been removed"));
        }
        if is_below(&fd, &[places.state(), places.cache()]) {
            return Err(refused("belongs to the service"));
        }
        let path = fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()))
            .map_err(|error| refused(&format!("has no name: {error}")))?;
        let folder = Self {
            fd,
            shown: crate::request::shown(&path.to_string_lossy(), 120),
        };
        folder
            .ask(user, &Task::Look)
            .map_err(|failure| Refusal::of(Kind::InvalidOutput, failure))?;
        Ok(folder)
    }

    /// Any folder, unchecked.
    #[cfg(test)]
    pub fn for_tests(path: &Path) -> Self {
        Self {
            fd: fs::File::open(path).expect("opened").into(),
            shown: path.display().to_string(),
        }
    }

    /// Its path, fit to be shown. Nothing is ever opened by it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Copies `files` into it, in this order, as `user`: each appears under its name when it
    /// is whole and on the disk. Stops when it is no longer `wanted`.
    ///
    /// # Errors
    ///
    /// When something cannot be written, or it is no longer wanted; a file that was there
    /// before then still is, unless its successor was there already.
    pub fn place(
        &self,
        user: &User,
        files: Vec<(String, OwnedFd)>,
        wanted: &dyn Fn() -> bool,
    ) -> Result<(), Failure> {
        let (names, sources): (Vec<_>, _) = files.into_iter().unzip();
        let task = Task::Place {
            names: names.clone(),
        };
        let task = self.begin(user, &task, sources)?;
        let number = task.id();
        match task.finish_while(wanted) {
            Ok(answer) => judge(&answer),
            Err(error) => {
                // It had no time to tidy up after itself.
                if let Err(failure) = self.ask(user, &Task::Tidy { names, number }) {
                    tracing::info!(%failure, "a half-written file is left in the output folder");
                }
                Err(error.into())
            }
        }
    }

    /// Something that takes no time where a folder answers.
    fn ask(&self, user: &User, task: &Task) -> Result<(), Failure> {
        judge(&self.begin(user, task, Vec::new())?.finish_within(SOON)?)
    }

    fn begin(&self, user: &User, task: &Task, sources: Vec<OwnedFd>) -> Result<UserTask, Failure> {
        let failed = |error: io::Error| Failure::io("hand the output folder over", error);
        let folder = self.fd.try_clone().map_err(failed)?;
        let numbers = FOLDER..;
        let descriptors = [folder].into_iter().chain(sources).zip(numbers).collect();
        let text = serde_json::to_string(task).map_err(|error| failed(io::Error::other(error)))?;
        Ok(run_as_user(user, &text, descriptors)?)
    }
}

fn judge(answer: &UserAnswer) -> Result<(), Failure> {
    match serde_json::from_str(&answer.text) {
        Ok(Answer::Done) if answer.success => Ok(()),
        Ok(Answer::Failed { doing, code, cause }) => {
            let failed = Failure::io(doing, io::Error::from_raw_os_error(code));
            Err(match code {
                0 => failed.because(io::Error::other(cause)),
                _ => failed,
            })
        }
        Ok(Answer::Done) | Err(_) => Err(Failure::plain(
            Code::Internal,
            "whoever writes into the output folder ended without a word",
        )),
    }
}

/// Whether a folder is one of `ours`, or somewhere below. What cannot be looked through, such
/// as a filesystem of a user's own, is not.
fn is_below(fd: &impl AsFd, ours: &[&Path]) -> bool {
    let ours: Vec<(u64, u64)> = ours
        .iter()
        .filter_map(|path| fs::metadata(path).ok())
        .map(|meta| (meta.dev(), meta.ino()))
        .collect();
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let open = |from: &dyn AsFd, name: &str| openat(from.as_fd(), name, flags, Mode::empty());
    let identity = |fd: &OwnedFd| -> Result<(u64, u64), Errno> {
        let stat = fstat(fd)?;
        Ok((stat.st_dev, stat.st_ino))
    };
    let Ok(mut here) = open(fd, ".") else {
        return false;
    };
    let mut last = None;
    for _ in 0..DEEPEST {
        let Ok(now) = identity(&here) else {
            return false;
        };
        if ours.contains(&now) {
            return true;
        }
        if last == Some(now) {
            return false;
        }
        last = Some(now);
        match open(&here, "..") {
            Ok(parent) => here = parent,
            Err(_) => return false,
        }
    }
    // Deeper than anybody's folders are.
    true
}
