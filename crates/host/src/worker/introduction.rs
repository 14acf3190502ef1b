//! What passes between starter and worker while the worker makes its namespaces.

use std::{
    fs,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    process::{Command, Stdio},
};

use super::{
    Worker,
    ids::{ID_COUNT, Ids},
};
use crate::sandbox::setup::{SetupError, failed};

impl Worker {
    /// Answers what the worker asks while it makes its namespaces.
    pub(super) fn introduce(&mut self, ids: &Ids, sync: &mut UnixStream) -> Result<(), SetupError> {
        loop {
            let mut word = [0];
            match sync.read(&mut word) {
                Ok(1) if word == *b"m" => {
                    write_maps(ids, self.child.id())?;
                    sync.write_all(b"k").map_err(failed("answer the worker"))?;
                }
                Ok(1) if word == *b"r" => return Ok(()),
                Ok(_) => {
                    let mut text = String::new();
                    let _ = sync.read_to_string(&mut text);
                    let _ = self.child.wait();
                    return Err(SetupError {
                        what: if text.is_empty() {
                            "the worker ended early".to_owned()
                        } else {
                            text
                        },
                        source: io::ErrorKind::Other.into(),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed("hear the worker")(error)),
            }
        }
    }
}

fn write_maps(ids: &Ids, pid: u32) -> Result<(), SetupError> {
    match ids {
        Ids::Range { first } => {
            let map = format!("0 {first} {ID_COUNT}\n");
            for name in ["uid_map", "gid_map"] {
                fs::write(format!("/proc/{pid}/{name}"), &map)
                    .map_err(failed(format!("write the {name}")))?;
            }
            Ok(())
        }
        Ids::Subordinate {
            uid,
            gid,
            uids,
            gids,
        } => {
            for (tool, own, (first, count)) in [("newuidmap", uid, uids), ("newgidmap", gid, gids)]
            {
                let output = Command::new(Path::new("/usr/bin").join(tool))
                    .env_clear()
                    .stdin(Stdio::null())
                    .args([pid.to_string(), "0".into(), own.to_string(), "1".into()])
                    .args(["1".into(), first.to_string(), count.to_string()])
                    .output()
                    .map_err(failed(format!("run {tool}")))?;
                if !output.status.success() {
                    return Err(SetupError {
                        what: format!("{tool}: {}", String::from_utf8_lossy(&output.stderr).trim()),
                        source: io::ErrorKind::PermissionDenied.into(),
                    });
                }
            }
            Ok(())
        }
        // Nobody asks: there is no user namespace to write maps for.
        Ids::Same(_) => Ok(()),
    }
}
