//! What somebody's program does to the helper by itself, faster than it could be told to.

use std::{
    env, fs,
    hash::{BuildHasher, RandomState},
    os::fd::AsFd,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Result;
use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    sys::stat::{SFlag, fstat},
};
use zbus::zvariant::{Array, Fd, Signature, StructureBuilder, Value};

use crate::{
    asks::{Arg, Race, Raced, Reply, Source},
    client::{BUS, Client, HELPER},
    values,
};

/// Starts builds while the names of what is opened are exchanged all the time. polkit says no
/// to all of them, so that a call costs little; what counts is which calls get so far.
pub fn race(client: &Client, race: &Race) -> Result<Raced> {
    let pairs = |target: &Path| -> Vec<(PathBuf, PathBuf)> {
        let pair = |other: &PathBuf| (target.to_owned(), other.clone());
        race.others.iter().map(pair).collect()
    };
    let mut exchanged = pairs(&race.honest);
    exchanged.extend(pairs(&race.output));
    client.exchange(exchanged);
    let mut found = Raced::default();
    let mut calls = 0;
    while calls < race.times {
        // Now the one is raced for, now the other; now as one would, now as one who hopes that
        // root opens it again.
        let flags = [
            OFlag::O_RDONLY | OFlag::O_NONBLOCK,
            OFlag::O_PATH,
            OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW,
            OFlag::O_PATH | OFlag::O_NOFOLLOW,
        ][(calls / 2 % 4) as usize];
        let plain = OFlag::O_RDONLY;
        let (input, output) = match calls % 2 {
            0 => ((&race.honest, flags), (&race.steady.1, plain)),
            _ => ((&race.steady.0, plain), (&race.output, flags)),
        };
        calls += 1;
        let input = values::open_path(input.0, input.1.bits());
        let output = values::open_path(output.0, output.1.bits());
        // What this person may not open is no danger; the call is worth nothing then.
        let (Ok(input), Ok(output)) = (input, output) else {
            found.other += 1;
            continue;
        };
        let honest_input = is_readable_file(&input)?;
        let honest_output = is_folder(&output)?;
        let told = format!("{flags:?}, input {honest_input}, output {honest_output}");
        let (name, message) = loop {
            let (input, output) = (input.try_clone()?, output.try_clone()?);
            let reply = start(client, race, input, output)?;
            match reply {
                Reply::Refused { name, .. } if name.ends_with(".TooMany") => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Reply::Refused { name, message } => break (name, message),
                Reply::Done(value) => break ("done".to_owned(), value.to_string()),
                Reply::Broken(text) => break ("broken".to_owned(), text),
            }
        };
        let short = name.rsplit('.').next().unwrap_or_default();
        match (honest_input, honest_output, short) {
            (true, true, "NotAuthorised") => found.honest += 1,
            // A folder that this person may not write to is refused here or when the ISO
            // comes; who is not asked has lost nothing.
            (true, _, "InvalidOutput") | (false, true, "InvalidFile") => found.other += 1,
            _ => found.wrong.push(format!("{told}: {name}: {message}")),
        }
    }
    found.exchanges = client.stop_exchanging();
    Ok(found)
}

fn start(
    client: &Client,
    race: &Race,
    input: std::os::fd::OwnedFd,
    output: std::os::fd::OwnedFd,
) -> Result<Reply> {
    let mut files = Array::new(&values::signature("(sh)")?);
    let pair = StructureBuilder::new()
        .append_field(Value::from(race.name.clone()))
        .append_field(Value::Fd(Fd::from(input)));
    files.append(Value::from(pair.build()?))?;
    let body = StructureBuilder::new()
        .append_field(Value::from(race.spec.clone()))
        .append_field(Value::from(files))
        .append_field(Value::Fd(Fd::from(output)))
        .append_field(values::value(&Arg::Options(vec![]), &mut Vec::new())?)
        .build()?;
    Ok(match client.send(HELPER, "Start", &body) {
        Ok(message) => Reply::Done(values::answer(&message)?),
        Err(error) => crate::client::refusal(error),
    })
}

fn is_readable_file(descriptor: &impl AsFd) -> Result<bool> {
    let kind = SFlag::from_bits_truncate(fstat(descriptor)?.st_mode) & SFlag::S_IFMT;
    let flags = OFlag::from_bits_retain(fcntl(descriptor, FcntlArg::F_GETFL)?);
    Ok(kind == SFlag::S_IFREG && !flags.contains(OFlag::O_PATH))
}

fn is_folder(descriptor: &impl AsFd) -> Result<bool> {
    let kind = SFlag::from_bits_truncate(fstat(descriptor)?.st_mode) & SFlag::S_IFMT;
    Ok(kind == SFlag::S_IFDIR)
}

/// Tries to get at folders; everything that could be done, in words.
pub fn trespass(folders: &[PathBuf]) -> Vec<String> {
    let mut could = Vec::new();
    for folder in folders {
        let inside = folder.join("trespassed");
        let aside = folder.with_extension("aside");
        let mut tried = |what: &str, done: bool| {
            if done {
                could.push(format!("{what} {}", folder.display()));
            }
        };
        tried("list", fs::read_dir(folder).is_ok());
        tried("write into", fs::write(&inside, "x").is_ok());
        tried("make a folder in", fs::create_dir(&inside).is_ok());
        tried("move", fs::rename(folder, &aside).is_ok());
        tried("remove", fs::remove_dir(folder).is_ok());
        tried("make", fs::create_dir(folder).is_ok());
        tried(
            "make a link in",
            std::os::unix::fs::symlink("/etc", &inside).is_ok(),
        );
    }
    could
}

/// Numbers that are random enough (splitmix64), and can be had again from the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides.max(1)
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let sides = u64::try_from(all.len()).unwrap_or(1);
        &all[usize::try_from(self.roll(sides)).unwrap_or(0)]
    }
}

const METHODS: &[&str] = &[
    "Start", "Resume", "Attach", "Cancel", "Answer", "List", "Describe", "Clean", "Version",
    "Nothing",
];

/// Types that calls are made of: the right ones, and others.
const TYPES: &[&str] = &[
    "sa(sh)ha{sv}",
    "sh",
    "st",
    "s",
    "sus",
    "b",
    "sb",
    "",
    "v",
    "av",
    "a{sv}",
    "aaaaaaaas",
    "ay",
    "(((((((s)))))))",
    "hhhh",
    "y",
    "n",
    "q",
    "i",
    "u",
    "x",
    "t",
    "d",
    "o",
    "g",
    "a(sv)",
    "a{tav}",
];

/// Calls with random methods, types and sizes; how many calls.
pub fn fuzz(client: &Client, seed: u64, time: Duration) -> Result<u64> {
    let mut dice = Dice(if seed == 0 {
        RandomState::new().hash_one(0)
    } else {
        seed
    });
    let begun = Instant::now();
    let mut count = 0;
    // The bus throws out whoever sends what it does not let through.
    let mut again: Option<Client> = None;
    while begun.elapsed() < time {
        let at = again.as_ref().unwrap_or(client);
        let method = *dice.of(METHODS);
        let fitting = METHODS.iter().position(|name| *name == method);
        let types = if dice.roll(3) == 0 {
            TYPES[fitting.unwrap_or(0).min(7)]
        } else {
            *dice.of(TYPES)
        };
        let reply = if types.is_empty() {
            at.call_once(HELPER, method, &[])?
        } else {
            let Signature::Structure(fields) = values::signature(&format!("({types})"))? else {
                continue;
            };
            let mut body = StructureBuilder::new();
            for field in fields.iter() {
                body = body.append_field(random(field, &mut dice, 0)?);
            }
            match at.send(HELPER, method, &body.build()?) {
                Ok(_) => Reply::Done(serde_json::Value::Null),
                Err(error) => crate::client::refusal(error),
            }
        };
        count += 1;
        match reply {
            Reply::Broken(_) => again = Some(Client::connect(&env::var(BUS)?)?),
            Reply::Refused { name, .. } if name.ends_with(".TooMany") => {
                std::thread::sleep(Duration::from_millis(60));
            }
            Reply::Done(_) | Reply::Refused { .. } => {}
        }
    }
    Ok(count)
}

fn random(signature: &Signature, dice: &mut Dice, depth: u32) -> Result<Value<'static>> {
    let number = *dice.of(&[0, 1, u64::MAX, u64::MAX >> 1, 1 << 31, 1 << 32, 255, 42]);
    Ok(match signature {
        Signature::Str => Value::from(random_text(dice)),
        Signature::U8 => Value::from(number as u8),
        Signature::Bool => Value::from(number & 1 == 1),
        Signature::I16 => Value::from(number as i16),
        Signature::U16 => Value::from(number as u16),
        Signature::I32 => Value::from(number as i32),
        Signature::U32 => Value::from(number as u32),
        Signature::I64 => Value::from(number as i64),
        Signature::U64 => Value::from(number),
        Signature::F64 => Value::from(f64::from_bits(number)),
        Signature::Fd => {
            let source = match dice.roll(5) {
                0 => Source::Pipe,
                1 => Source::Path("/dev/zero".into(), 0),
                2 => Source::Path("/".into(), OFlag::O_PATH.bits()),
                3 => Source::Sparse(1 << 40),
                _ => Source::Text("x".repeat(usize::try_from(dice.roll(4096))?)),
            };
            Value::Fd(Fd::from(values::open(&source, &mut Vec::new())?))
        }
        Signature::Variant if depth < 12 => {
            // Mostly a chain, as deep as the format lets it be.
            let inner = [Signature::Variant, Signature::Variant, Signature::Str];
            Value::Value(Box::new(random(dice.of(&inner), dice, depth + 1)?))
        }
        Signature::Array(item) => {
            let mut array = Array::new(item.signature());
            for _ in 0..dice.roll(if depth == 0 { 40 } else { 3 }) {
                array.append(random(item.signature(), dice, depth + 1)?)?;
            }
            Value::from(array)
        }
        Signature::Dict { key, value } => {
            let mut dict = zbus::zvariant::Dict::new(key.signature(), value.signature());
            for _ in 0..dice.roll(20) {
                dict.append(
                    random(key.signature(), dice, depth + 1)?,
                    random(value.signature(), dice, depth + 1)?,
                )?;
            }
            Value::from(dict)
        }
        Signature::Structure(fields) => {
            let mut structure = StructureBuilder::new();
            for field in fields.iter() {
                structure = structure.append_field(random(field, dice, depth + 1)?);
            }
            Value::from(structure.build()?)
        }
        Signature::Unit | Signature::Variant | Signature::Signature | Signature::ObjectPath => {
            values::plain(signature, &mut Vec::new())?
        }
        #[allow(unreachable_patterns, reason = "zvariant may know more types")]
        _ => values::plain(signature, &mut Vec::new())?,
    })
}

fn random_text(dice: &mut Dice) -> String {
    match dice.roll(10) {
        0 => String::new(),
        1 => "../../../../etc/shadow".to_owned(),
        2 => "x".repeat((1 << 20) + 1),
        3 => "[".repeat(10_000),
        4 => "\u{202e}\u{feff}\u{1b}[2J\r\n".to_owned(),
        5 => "format = 1\n[profile]\nname = \"fuzz\"\n".to_owned(),
        6 => "leftovers".to_owned(),
        7 => "retry".to_owned(),
        8 => "-o Dir=/".to_owned(),
        _ => {
            let length = dice.roll(300);
            (0..length)
                .filter_map(|_| char::from_u32(u32::try_from(1 + dice.roll(0x2fff)).ok()?))
                .collect()
        }
    }
}
