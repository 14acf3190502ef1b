//! Arguments as D-Bus has them, and answers as JSON.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, Write},
    os::{
        fd::OwnedFd,
        unix::{fs::OpenOptionsExt, net::UnixStream},
    },
    path::Path,
};

use anyhow::{Context, Result};
use nix::{
    fcntl::{FcntlArg, OFlag, SealFlag, fcntl},
    sys::{
        memfd::{MFdFlags, memfd_create},
        stat::Mode,
    },
    unistd::pipe,
};
use serde_json::{Map, json};
use zbus::zvariant::{Array, Dict, Fd, Signature, Structure, StructureBuilder, Value};

use crate::asks::{Arg, Source};

/// Descriptors that must stay open as long as the call: the writing ends of pipes.
pub type Kept = Vec<OwnedFd>;

/// Opens what is to be handed over.
///
/// # Errors
///
/// When the person may not open it.
pub fn open(source: &Source, kept: &mut Kept) -> Result<OwnedFd> {
    Ok(match source {
        Source::Text(text) => {
            let mut file = unnamed()?;
            file.write_all(text.as_bytes())?;
            // A second description of the same file, which cannot write.
            let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
            File::open(path)?.into()
        }
        Source::Path(path, flags) => open_path(path, *flags)?,
        Source::ReadToEnd(path) => {
            let mut file = File::open(path)?;
            file.read_to_end(&mut Vec::new())?;
            file.into()
        }
        Source::Pipe => {
            let (read, write) = pipe()?;
            kept.push(write);
            read
        }
        Source::Socket => {
            let (one, other) = UnixStream::pair()?;
            kept.push(other.into());
            one.into()
        }
        Source::Memory { text, sealed } => {
            let memory =
                memfd_create(c"test", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
            let mut file = File::from(memory);
            file.write_all(text.as_bytes())?;
            file.rewind()?;
            if *sealed {
                let all = SealFlag::F_SEAL_SEAL
                    | SealFlag::F_SEAL_SHRINK
                    | SealFlag::F_SEAL_GROW
                    | SealFlag::F_SEAL_WRITE;
                fcntl(&file, FcntlArg::F_ADD_SEALS(all))?;
            }
            file.into()
        }
        Source::Sparse(size) => {
            let memory = memfd_create(c"sparse", MFdFlags::MFD_CLOEXEC)?;
            let file = File::from(memory);
            file.set_len(*size)?;
            file.into()
        }
        Source::RemovedFolder(path) => {
            fs::create_dir(path)?;
            let folder = File::open(path)?;
            fs::remove_dir(path)?;
            folder.into()
        }
    })
}

/// Opens a path with flags of open(2) and nothing else but close-on-exec.
pub fn open_path(path: &Path, flags: i32) -> Result<OwnedFd> {
    let flags = OFlag::from_bits_retain(flags) | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
    Ok(nix::fcntl::open(path, flags, Mode::empty())?)
}

/// A file that no name leads to.
fn unnamed() -> Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlag::O_TMPFILE.bits())
        .mode(0o600)
        .open("/tmp")?;
    Ok(file)
}

/// Types as D-Bus writes them.
///
/// # Errors
///
/// When they are none.
pub fn signature(types: &str) -> Result<Signature> {
    Signature::try_from(types).map_err(|error| anyhow::anyhow!("{types}: {error:?}"))
}

/// The body of a call with at least one argument.
///
/// # Errors
///
/// When a descriptor cannot be opened.
pub fn body(args: &[Arg], kept: &mut Kept) -> Result<Structure<'static>> {
    let mut body = StructureBuilder::new();
    for arg in args {
        body = body.append_field(value(arg, kept)?);
    }
    Ok(body.build()?)
}

/// An argument as D-Bus has it.
pub fn value(arg: &Arg, kept: &mut Kept) -> Result<Value<'static>> {
    Ok(match arg {
        Arg::Text(text) => Value::from(text.clone()),
        Arg::U32(number) => Value::from(*number),
        Arg::U64(number) => Value::from(*number),
        Arg::I32(number) => Value::from(*number),
        Arg::Bool(switch) => Value::from(*switch),
        Arg::Descriptor(source) => Value::Fd(Fd::from(open(source, kept)?)),
        Arg::Files(files) => {
            let mut array = Array::new(&signature("(sh)")?);
            for (name, source) in files {
                let descriptor = Value::Fd(Fd::from(open(source, kept)?));
                let pair = StructureBuilder::new()
                    .append_field(Value::from(name.clone()))
                    .append_field(descriptor);
                array.append(Value::from(pair.build()?))?;
            }
            Value::from(array)
        }
        Arg::Options(options) => {
            let mut dict = Dict::new(&Signature::Str, &Signature::Variant);
            for (name, option) in options {
                let any = Value::Value(Box::new(value(option, kept)?));
                dict.append(Value::from(name.clone()), any)?;
            }
            Value::from(dict)
        }
        Arg::Any(arg) => Value::Value(Box::new(value(arg, kept)?)),
        Arg::OfType(types) => plain(&self::signature(types)?, kept)?,
    })
}

/// The plainest value of a type.
pub fn plain(signature: &Signature, kept: &mut Kept) -> Result<Value<'static>> {
    Ok(match signature {
        Signature::Unit | Signature::Variant => Value::Value(Box::new(Value::from("x"))),
        Signature::U8 => Value::from(0_u8),
        Signature::Bool => Value::from(false),
        Signature::I16 => Value::from(0_i16),
        Signature::U16 => Value::from(0_u16),
        Signature::I32 => Value::from(0_i32),
        Signature::U32 => Value::from(0_u32),
        Signature::I64 => Value::from(0_i64),
        Signature::U64 => Value::from(0_u64),
        Signature::F64 => Value::from(0_f64),
        Signature::Str => Value::from("x"),
        Signature::Signature => Value::from(Signature::Str),
        Signature::ObjectPath => Value::from(zbus::zvariant::ObjectPath::try_from("/")?),
        Signature::Fd => Value::Fd(Fd::from(open(&Source::Text(String::new()), kept)?)),
        Signature::Array(item) => Value::from(Array::new(item.signature())),
        Signature::Dict { key, value } => {
            Value::from(Dict::new(key.signature(), value.signature()))
        }
        Signature::Structure(fields) => {
            let mut structure = StructureBuilder::new();
            for field in fields.iter() {
                structure = structure.append_field(plain(field, kept)?);
            }
            Value::from(structure.build()?)
        }
        #[allow(unreachable_patterns, reason = "zvariant may know more types")]
        _ => anyhow::bail!("no value of type {signature}"),
    })
}

/// The body of an answer: nothing, the one value, or a list of them.
///
/// # Errors
///
/// When it cannot be read.
pub fn answer(message: &zbus::Message) -> Result<serde_json::Value> {
    let body = message.body();
    if body.is_empty() {
        return Ok(serde_json::Value::Null);
    }
    let fields: Structure<'_> = body.deserialize().context("the answer's body")?;
    let mut values: Vec<_> = fields.fields().iter().map(json).collect();
    Ok(match values.len() {
        1 => values.remove(0),
        _ => serde_json::Value::Array(values),
    })
}

/// A value as JSON; descriptors are `null`.
pub fn json(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::U8(number) => json!(number),
        Value::Bool(switch) => json!(switch),
        Value::I16(number) => json!(number),
        Value::U16(number) => json!(number),
        Value::I32(number) => json!(number),
        Value::U32(number) => json!(number),
        Value::I64(number) => json!(number),
        Value::U64(number) => json!(number),
        Value::F64(number) => json!(number),
        Value::Str(text) => json!(text.as_str()),
        Value::Signature(signature) => json!(signature.to_string()),
        Value::ObjectPath(path) => json!(path.as_str()),
        Value::Value(inner) => json(inner),
        Value::Array(array) => array.inner().iter().map(json).collect(),
        Value::Dict(dict) => {
            let entry = |(key, value): (&Value<'_>, &Value<'_>)| {
                let key = match json(key) {
                    serde_json::Value::String(text) => text,
                    other @ (serde_json::Value::Null
                    | serde_json::Value::Bool(_)
                    | serde_json::Value::Number(_)
                    | serde_json::Value::Array(_)
                    | serde_json::Value::Object(_)) => other.to_string(),
                };
                (key, json(value))
            };
            serde_json::Value::Object(dict.iter().map(entry).collect::<Map<_, _>>())
        }
        Value::Structure(structure) => structure.fields().iter().map(json).collect(),
        Value::Fd(_) => serde_json::Value::Null,
        #[allow(unreachable_patterns, reason = "zvariant may know more types")]
        _ => serde_json::Value::Null,
    }
}
