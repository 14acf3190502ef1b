//! From a checked spec to everything that a build is started with.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead, IsTerminal, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use isosmith_engine::Failure;
use isosmith_protocol::{Code, Manner, Output};
use isosmith_recipe::{Machine, Materials, Mirrors, Order, Previous, SquashfsWriter};
use isosmith_spec::{
    Layer, Origin,
    model::{BuildSpec, Login},
    names::MaterialPath,
};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use serde::{Deserialize, Serialize};
use sha_crypt::PasswordHasher;

use crate::profile::{self, Loaded};

/// Gathers what a build needs; files of the profile are copied into `inputs`.
///
/// # Errors
///
/// When a file of the profile cannot be used, or a password cannot be asked for.
pub fn gather(
    loaded: &Loaded,
    inputs: Option<&Path>,
    delivered: &Delivered,
) -> Result<Order, Failure> {
    let spec = &loaded.spec;
    isosmith_recipe::mirrors::refuse_files(&spec.base)?;
    let materials = Materials::collect(&spec.materials(), &profile::base(), inputs)?;
    let place = |path: &MaterialPath| Ok(materials.get(path)?.path.clone());
    check_pictures(spec, &place)?;
    isosmith_recipe::check_signing(spec, &place)?;
    let machine = Machine::read(Path::new("/"));
    Ok(Order {
        profile: loaded.merged.to_toml(),
        materials,
        assistant: isosmith_recipe::assistant::collect(spec, inputs)?,
        mirrors: Mirrors::of(spec, &machine),
        tool_mirrors: Mirrors::of_debian(spec, &machine),
        squashfs_writer: SquashfsWriter::default(),
        manner: Manner::default(),
        previous: delivered.untouched(),
    })
}

/// A picture that cannot be used is found before the build, not after half of it. `place`
/// says where the file lies that the profile calls so.
///
/// # Errors
///
/// When one cannot be read or used.
pub fn check_pictures(
    spec: &BuildSpec,
    place: &dyn Fn(&MaterialPath) -> Result<PathBuf, Failure>,
) -> Result<(), Failure> {
    for material in spec.materials() {
        if !material.kind.is_picture() {
            continue;
        }
        let file = place(&material.path)?;
        let bytes = fs::read(&file).map_err(|error| Failure::io_at("read", &file, error))?;
        isosmith_recipe::check_picture(&material.field, material.path.as_str(), &bytes)?;
    }
    Ok(())
}

/// Asks on the terminal for every password that the profile wants to be asked for, and puts
/// their hashes in its place.
///
/// # Errors
///
/// [`Code::ProfileInvalid`] when there is no terminal, or the two answers differ.
pub fn ask_passwords(loaded: Loaded) -> Result<Loaded, Failure> {
    if !loaded
        .spec
        .users
        .logins()
        .any(|login| *login == Login::Prompt)
    {
        return Ok(loaded);
    }
    let text = with_passwords(&loaded, &ask)?;
    let layer = Layer::new(Origin::Profile("profile".into()), "", text);
    let (spec, merged) = isosmith_spec::load(vec![layer], &|_| None)
        .map_err(|problems| profile::LoadError::Problems(problems).into_failure())?;
    Ok(Loaded { spec, merged })
}

/// The merged profile with what `ask` answers in the place of each `prompt`.
fn with_passwords(
    loaded: &Loaded,
    ask: &dyn Fn(&str) -> Result<String, Failure>,
) -> Result<String, Failure> {
    let broken = |error: &dyn std::fmt::Display| Failure::plain(Code::Internal, error.to_string());
    let users = &loaded.spec.users;
    let mut profile: toml::Table = loaded
        .merged
        .to_toml()
        .parse()
        .map_err(|error: toml::de::Error| broken(&error))?;
    let mut tables = profile.get_mut("users").and_then(toml::Value::as_table_mut);
    let mut answer = |key: &str, index: usize, name: &str| {
        let hash = ask(&format!("Password for {name}"))?;
        let value = tables.as_mut().and_then(|users| users.get_mut(key));
        let account = match value {
            Some(toml::Value::Array(accounts)) => accounts.get_mut(index),
            table => table,
        };
        let account = account.and_then(toml::Value::as_table_mut);
        let account = account.ok_or_else(|| broken(&format!("there is no table users.{key}")))?;
        account.insert("password".to_owned(), toml::Value::from(hash));
        Ok::<(), Failure>(())
    };
    if let Some(user) = &users.live
        && user.password == Login::Prompt
    {
        answer("live", 0, user.name.as_str())?;
    }
    if users.root == Login::Prompt {
        answer("root", 0, "root")?;
    }
    for (index, account) in users.accounts.iter().enumerate() {
        if account.password == Login::Prompt {
            answer("accounts", index, account.name.as_str())?;
        }
    }
    toml::to_string(&profile).map_err(|error| broken(&error))
}

fn ask(what: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new(
            Code::ProfileInvalid,
            format!("{what} is to be asked for, and there is no terminal"),
            "Put a hash into the profile (mkpasswd -m yescrypt), or run the build on a terminal.",
        ));
    }
    let first =
        read_hidden(&format!("{what}: ")).map_err(|error| Failure::io("read a password", error))?;
    let second =
        read_hidden("Once more: ").map_err(|error| Failure::io("read a password", error))?;
    if first.is_empty() || first != second {
        return Err(Failure::new(
            Code::ProfileInvalid,
            "the two passwords are not the same, or empty",
            "Start again and type the same password twice.",
        ));
    }
    sha_crypt::ShaCrypt::default()
        .hash_password(first.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| {
            Failure::plain(
                Code::Internal,
                format!("the password cannot be hashed: {error}"),
            )
        })
}

/// Reads a line without showing it.
fn read_hidden(prompt: &str) -> io::Result<String> {
    let stdin = io::stdin();
    let shown = tcgetattr(&stdin)?;
    let mut hidden = shown.clone();
    hidden.local_flags.remove(LocalFlags::ECHO);
    io::stderr().write_all(prompt.as_bytes())?;
    tcsetattr(&stdin, SetArg::TCSAFLUSH, &hidden)?;
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    tcsetattr(&stdin, SetArg::TCSAFLUSH, &shown)?;
    io::stderr().write_all(b"\n")?;
    read?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// The record of what was delivered to one place.
#[derive(Debug)]
pub struct Delivered {
    record: PathBuf,
    iso: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    key: String,
    size: u64,
    inode: u64,
    modified: (i64, i64),
    checksums: BTreeMap<String, String>,
    /// What lies beside it.
    files: Vec<String>,
}

impl Delivered {
    /// The record for an ISO of this name in this folder.
    pub fn at(state: &Path, iso: PathBuf) -> Self {
        let safe: String = iso
            .to_string_lossy()
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() || byte == b'.' {
                    char::from(byte).to_string()
                } else {
                    format!("-{byte:02x}")
                }
            })
            .collect();
        // A file name has 255 bytes at most; the end of a path tells more than its beginning.
        let start = safe.len().saturating_sub(200);
        Self {
            record: state.join("delivered").join(&safe[start..]),
            iso,
        }
    }

    /// What was delivered, if it is still there and nobody has touched it.
    fn untouched(&self) -> Option<Previous> {
        let record: Record = serde_json::from_slice(&fs::read(&self.record).ok()?).ok()?;
        let meta = fs::metadata(&self.iso).ok()?;
        let same = meta.len() == record.size
            && meta.ino() == record.inode
            && (meta.mtime(), meta.mtime_nsec()) == record.modified
            && record
                .files
                .iter()
                .all(|file| self.iso.with_file_name(file).exists());
        same.then_some(Previous {
            key: record.key,
            name: self.iso.file_name()?.to_str()?.to_owned(),
            size: record.size,
            checksums: record.checksums,
        })
    }

    /// Remembers what lies there now.
    ///
    /// # Errors
    ///
    /// When the record cannot be written.
    pub fn remember(&self, key: String, iso: &Output, files: &[String]) -> Result<(), Failure> {
        let meta =
            fs::metadata(&self.iso).map_err(|error| Failure::io_at("look at", &self.iso, error))?;
        let record = Record {
            key,
            size: meta.len(),
            inode: meta.ino(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            checksums: iso.checksums.clone(),
            files: files.to_vec(),
        };
        let folder = self.record.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder).map_err(|error| Failure::io_at("make", folder, error))?;
        let text = serde_json::to_vec(&record).map_err(|error| {
            Failure::plain(Code::Internal, "a record cannot be written").because(error)
        })?;
        Ok(isosmith_host::fs::write_atomic(&self.record, &text)?)
    }
}
