//! A piece of work as somebody else. Touches temporary folders. Becoming somebody needs root;
//! elsewhere only the refusal is tested.
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that cannot go on stops with a message"
)]

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::{
        fd::{FromRawFd, OwnedFd},
        unix::fs::{MetadataExt, PermissionsExt},
    },
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use isosmith_host::user::{self, User, UserAnswer, run_as_user};
use libtest_mimic::{Arguments, Failed, Trial};

/// A user that every Debian has and that owns nothing.
const NOBODY: u32 = 65_534;

fn main() -> ExitCode {
    user::entry(work);
    let arguments = Arguments::from_args();
    let root = nix::unistd::Uid::effective().is_root();
    let trial = |name: &str, test: fn() -> Result<(), Failed>| Trial::test(name, test);
    let mut trials = vec![trial("a_user_without_entry_is_refused", unknown)];
    let as_root = [
        trial("the_child_has_nothing_but_what_it_is_given", nothing_else),
        trial("what_it_writes_belongs_to_the_user", belongs),
        trial("what_the_user_may_not_read_it_may_not", may_not),
        trial("it_ends_with_its_starter", ends),
        trial("a_task_that_hangs_is_ended", hangs),
        trial("wrong_numbers_are_refused", numbers),
    ];
    trials.extend(as_root.map(|trial| trial.with_ignored_flag(!root)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What the child does; the first word says what.
fn work(task: &str) -> i32 {
    let (verb, rest) = task.split_once(' ').unwrap_or((task, ""));
    let answer = match verb {
        "show" => {
            let mut text = fs::read_to_string("/proc/self/status").unwrap();
            let mut numbers: Vec<String> = fs::read_dir("/proc/self/fd")
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            numbers.sort();
            text.push_str(&format!(
                "Env:\t{}\nNumbers:\t{}\nFolder:\t{}\nSession:\t{}\nInput:\t{}\n",
                std::env::vars_os().count(),
                numbers.join(","),
                std::env::current_dir().unwrap().display(),
                nix::unistd::getsid(None).unwrap() == nix::unistd::getpid(),
                fs::read_link("/proc/self/fd/0").unwrap().display(),
            ));
            // Lines would be an answer of several.
            text.replace('\n', ";")
        }
        "write" => {
            // SAFETY: the test puts a folder there.
            let folder = unsafe { OwnedFd::from_raw_fd(7) };
            let made = nix::fcntl::openat(
                &folder,
                "made",
                nix::fcntl::OFlag::O_CREAT | nix::fcntl::OFlag::O_WRONLY,
                nix::sys::stat::Mode::from_bits_truncate(0o644),
            );
            match made.map(File::from) {
                Ok(mut file) => {
                    file.write_all(rest.as_bytes()).unwrap();
                    "written".to_owned()
                }
                Err(error) => return fail(&error.to_string()),
            }
        }
        "read" => match fs::read_to_string(rest) {
            Ok(text) => text,
            Err(error) => return fail(&error.kind().to_string()),
        },
        "hang" => loop {
            std::thread::sleep(Duration::from_secs(60));
        },
        _ => return 2,
    };
    io::stdout()
        .write_all(format!("{answer}\n").as_bytes())
        .unwrap();
    0
}

fn fail(why: &str) -> i32 {
    io::stdout().write_all(why.as_bytes()).unwrap();
    1
}

fn nobody() -> User {
    User::of(NOBODY).unwrap()
}

fn check(what: bool, told: impl Into<String>) -> Result<(), Failed> {
    if what {
        Ok(())
    } else {
        Err(told.into().into())
    }
}

fn unknown() -> Result<(), Failed> {
    let found = User::of(4_000_000_001);
    check(found.is_err(), format!("{found:?}"))
}

fn nothing_else() -> Result<(), Failed> {
    // Descriptors that would be inherited if nobody took care.
    let open = File::open("/etc/hostname").unwrap();
    let inherited = nix::unistd::dup(&open).unwrap();
    nix::fcntl::fcntl(
        &inherited,
        nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()),
    )
    .unwrap();
    let given = vec![
        (OwnedFd::from(open), 9),
        (inherited.try_clone().unwrap(), 3),
    ];
    let user = nobody();
    let answer = run_as_user(&user, "show", given)?.finish()?;
    check(answer.success, answer.text.clone())?;
    let field = |name: &str| -> String {
        let line = answer
            .text
            .split(';')
            .find_map(|line| line.strip_prefix(&format!("{name}:\t")))
            .unwrap_or_default();
        line.trim().replace('\t', " ")
    };
    let none = "0000000000000000";
    let ids = |id: u32| format!("{id} {id} {id} {id}");
    for (name, want) in [
        ("Uid", ids(user.uid)),
        ("Gid", ids(user.gid)),
        ("Groups", user.gid.to_string()),
        ("CapInh", none.to_owned()),
        ("CapPrm", none.to_owned()),
        ("CapEff", none.to_owned()),
        ("CapBnd", none.to_owned()),
        ("CapAmb", none.to_owned()),
        ("NoNewPrivs", "1".to_owned()),
        ("Env", "0".to_owned()),
        // 10 is the starter's life, 4 the folder that is being listed.
        ("Numbers", "0,1,10,2,3,4,9".to_owned()),
        ("Folder", "/".to_owned()),
        ("Session", "true".to_owned()),
        ("Input", "/dev/null".to_owned()),
    ] {
        check(field(name) == want, format!("{name} is {:?}", field(name)))?;
    }
    Ok(())
}

fn belongs() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let answer = write_into(folder.path(), 0o755)?;
    check(!answer.success, "it wrote into a folder of root's")?;
    let answer = write_into(folder.path(), 0o777)?;
    check(answer.text == "written", answer.text)?;
    let meta = fs::metadata(folder.path().join("made"))?;
    check(
        (meta.uid(), meta.gid(), meta.mode() & 0o7777) == (nobody().uid, nobody().gid, 0o644),
        format!("{meta:?}"),
    )
}

fn write_into(folder: &Path, mode: u32) -> Result<UserAnswer, Failed> {
    fs::set_permissions(folder, fs::Permissions::from_mode(mode))?;
    let given = vec![(OwnedFd::from(File::open(folder)?), 7)];
    Ok(run_as_user(&nobody(), "write text", given)?.finish()?)
}

fn may_not() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let file = folder.path().join("file");
    for (mode, want) in [
        (0o644, (true, "text")),
        (0o600, (false, "permission denied")),
    ] {
        fs::write(&file, "text")?;
        fs::set_permissions(&file, fs::Permissions::from_mode(mode))?;
        let task = format!("read {}", file.display());
        let answer = run_as_user(&nobody(), &task, Vec::new())?.finish()?;
        check(
            (answer.success, answer.text.as_str()) == want,
            format!("{mode:o}: {answer:?}"),
        )?;
    }
    Ok(())
}

fn ends() -> Result<(), Failed> {
    let task = run_as_user(&nobody(), "hang", Vec::new())?;
    let process = format!("/proc/{}", task.id());
    // Only a child that has become the user is of interest.
    let begun = Instant::now();
    while !shows_user(&process)? {
        check(begun.elapsed() < Duration::from_secs(30), "it never began")?;
        std::thread::sleep(Duration::from_millis(5));
    }
    // Files of an undumpable process are root's (proc(5)): the user cannot trace it.
    let owner = fs::metadata(format!("{process}/fd"))?.uid();
    check(owner == 0, format!("its descriptors are open to {owner}"))?;
    drop(task);
    check(!Path::new(&process).exists(), "it is still there")
}

fn hangs() -> Result<(), Failed> {
    let task = run_as_user(&nobody(), "hang", Vec::new())?;
    let process = format!("/proc/{}", task.id());
    check(Path::new(&process).exists(), "it never began")?;
    let late = task.finish_within(Duration::from_millis(50));
    check(late.is_err(), format!("{late:?}"))?;
    check(!Path::new(&process).exists(), "it is still there")
}

fn shows_user(process: &str) -> Result<bool, Failed> {
    let mut text = String::new();
    File::open(format!("{process}/status"))?.read_to_string(&mut text)?;
    Ok(text.contains(&format!("Uid:\t{NOBODY}\t")))
}

fn numbers() -> Result<(), Failed> {
    for wrong in [vec![2], vec![0], vec![5, 5]] {
        let given = wrong
            .iter()
            .map(|number| (OwnedFd::from(File::open("/dev/null").unwrap()), *number))
            .collect();
        check(
            run_as_user(&nobody(), "show", given).is_err(),
            format!("{wrong:?} was taken"),
        )?;
    }
    Ok(())
}
