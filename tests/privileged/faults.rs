//! Mirrors that fail: class, code, message, exit status; and what happens once they do not.

use anyhow::{Context, Result, ensure};
use isosmith_protocol::{Code, EventKind, Outcome};
use isosmith_tests::{Dates, Ended, Fault, Isosmith, Kit, Signing, Small, made::Made};
use libtest_mimic::Trial;
use tempfile::TempDir;

use super::{now, trial};

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "faults::release", release),
        trial(kit, "faults::package", package),
        trial(kit, "faults::package_from_the_other_mirror", other_mirror),
        trial(kit, "faults::mirror_gone_midway", gone_midway),
        trial(kit, "faults::no_network", no_network),
        trial(kit, "faults::solver", solver),
        trial(kit, "faults::snapshot", snapshot),
    ]
}

/// An archive with a package that no cache can have, and builds in folders of their own.
struct Ground {
    small: Small,
    isosmith: Isosmith,
    // Goes last: the others work in it.
    scratch: TempDir,
}

impl Ground {
    fn new(kit: &Kit, name: &str) -> Result<Self> {
        let scratch = kit.scratch(name)?;
        let fresh = Made::new("fresh", "1").file(
            "/usr/share/fresh",
            &format!("{:?}\n", scratch.path()).repeat(4000),
            0o644,
        );
        let small = Small::serve(kit, scratch.path(), &[fresh])?;
        let isosmith = kit.isosmith(scratch.path());
        Ok(Self {
            small,
            isosmith,
            scratch,
        })
    }

    fn build(&self, name: &str) -> Result<Ended> {
        self.isosmith
            .build(&self.small.profile_with(name, "", &["fresh"], "")?)
    }

    /// Nothing half-made may be left in the cache, and no lock.
    fn tidy(&self, kit: &Kit, ended: &Ended) -> Result<()> {
        let id = ended.id().context("no id")?;
        let partial = kit.cache().join("partial").join(id);
        let left: Vec<_> = std::fs::read_dir(&partial)
            .map(|entries| entries.filter_map(Result::ok).collect())
            .unwrap_or_default();
        ensure!(left.is_empty(), "half-made things are left: {left:?}");
        ensure!(
            !self.isosmith.out.join("faults-1-trixie-amd64.iso").exists(),
            "a failed build left an ISO"
        );
        Ok(())
    }
}

/// What is wrong with the Release file, and what is said about it.
fn release(kit: &Kit) -> Result<()> {
    let ground = Ground::new(kit, "release")?;
    let day = 86_400;
    let table: &[(&str, Dates, Signing, Code)] = &[
        (
            "expired",
            Dates {
                date: now() - 9 * day,
                until: Some(now() - 2 * day),
            },
            Signing::Own,
            Code::ReleaseExpired,
        ),
        (
            "from the future",
            Dates {
                date: now() + 2 * day,
                until: None,
            },
            Signing::Own,
            Code::ClockWrong,
        ),
        (
            "unsigned",
            Dates::default(),
            Signing::Nobody,
            Code::BadSignature,
        ),
        (
            "signed by a stranger",
            Dates::default(),
            Signing::Stranger,
            Code::BadSignature,
        ),
    ];
    let mut wrong = Vec::new();
    for (what, dates, signing, code) in table {
        ground.small.archive.publish(*dates, *signing)?;
        let ended = ground.build("faults")?;
        let judged = ended
            .failed_with(*code, 6)
            .and_then(|_| ground.tidy(kit, &ended));
        let healed = || -> Result<()> {
            ground
                .small
                .archive
                .publish(Dates::default(), Signing::Own)?;
            ground
                .isosmith
                .resume(&ended.id().context("no id")?)?
                .iso()?;
            Ok(())
        };
        if let Err(error) = judged.and_then(|()| healed().context("resume")) {
            wrong.push(format!("{what}: {error:#}"));
        }
        let _ = std::fs::remove_dir_all(&ground.isosmith.out);
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// What is wrong with one package on the only mirror.
fn package(kit: &Kit) -> Result<()> {
    let table = [
        (Fault::Status(404), Code::FileMissingOnMirror, 5),
        (Fault::Status(503), Code::DownloadFailed, 5),
        (Fault::Short, Code::DownloadFailed, 5),
        (Fault::Corrupt, Code::HashMismatch, 6),
        (Fault::Reset(1000), Code::DownloadFailed, 5),
    ];
    let mut wrong = Vec::new();
    for (fault, code, status) in table {
        let ground = Ground::new(kit, "package")?;
        ground.small.server.fault("/pool/fresh_", fault);
        let ended = ground.build("faults")?;
        let judged = ended.failed_with(code, status).and_then(|message| {
            ensure!(
                message.contains("fresh_1_all.deb"),
                "the message names no file: {message}"
            );
            ground.tidy(kit, &ended)
        });
        let retries = ended
            .events
            .iter()
            .filter(|event| matches!(event.kind, EventKind::StepRetried { .. }))
            .count();
        ground.small.server.heal();
        let resumed = ground.isosmith.resume(&ended.id().context("no id")?)?.iso();
        if let Err(error) = judged.and_then(|()| resumed.context("resume")) {
            wrong.push(format!("{fault:?}: {error:#}"));
        }
        if retries != 2 {
            wrong.push(format!(
                "{fault:?}: {retries} retries were told, 2 were to be"
            ));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// One mirror sends something else than the signed index names; the other one is right.
fn other_mirror(kit: &Kit) -> Result<()> {
    let ground = Ground::new(kit, "mirrors")?;
    let good = isosmith_tests::Server::start(&ground.scratch.path().join("www"))?;
    ground.small.server.fault("/pool/fresh_", Fault::Corrupt);
    let mirrors = format!(
        "mirrors = [\"{}\", \"http://127.0.0.1:{}/debian\"]\n",
        ground.small.mirror(),
        good.port()
    );
    let ended = ground.isosmith.build(&ground.small.profile_with(
        "faults",
        &mirrors,
        &["fresh"],
        "",
    )?)?;
    ended.iso()?;
    ensure!(
        ground.small.server.count("/pool/fresh_") == 1,
        "the first mirror was not asked once"
    );
    ensure!(
        good.count("/pool/fresh_") == 1,
        "the second mirror was not asked once"
    );
    Ok(())
}

/// The mirror goes away in the middle of a download and comes back before the next attempt:
/// the build goes on by itself.
fn gone_midway(kit: &Kit) -> Result<()> {
    let ground = Ground::new(kit, "midway")?;
    ground.small.server.fault("/pool/fresh_", Fault::Reset(100));
    let mut running =
        ground
            .isosmith
            .start(&ground.small.profile_with("faults", "", &["fresh"], "")?)?;
    let retried = running.listen_until(|event| matches!(event, EventKind::StepRetried { .. }))?;
    ensure!(retried, "the step was not tried again");
    ground.small.server.heal();
    running.end()?.iso()?;
    Ok(())
}

/// Nobody listens where the mirror should be.
fn no_network(kit: &Kit) -> Result<()> {
    let ground = Ground::new(kit, "offline")?;
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port();
    let mirrors = format!("mirrors = [\"http://127.0.0.1:{closed}/debian\"]\n");
    let profile = ground
        .small
        .profile_with("faults", &mirrors, &["fresh"], "")?;
    let ended = ground.isosmith.build(&profile)?;
    let message = ended.failed_with(Code::MirrorUnreachable, 5)?;
    ensure!(
        message.contains(&closed.to_string()),
        "the message names no address: {message}"
    );
    ground.tidy(kit, &ended)?;
    ground.build("faults")?.iso()?;
    Ok(())
}

/// Packages that are not there, or cannot be there together.
fn solver(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("solver")?;
    let more = [
        Made::new("needy", "1").field("Depends: nonesuch (>= 2)"),
        Made::new("cat", "1").field("Conflicts: dog"),
        Made::new("dog", "1"),
        Made::new("broken", "1").script(
            "postinst",
            "#!/bin/sh\necho 'nothing works here' >&2\nexit 3\n",
        ),
    ];
    let small = Small::serve(kit, scratch.path(), &more)?;
    let isosmith = kit.isosmith(scratch.path());
    let table: &[(&[&str], &str, Code, &[&str])] = &[
        (
            &["no-such-package"],
            "",
            Code::PackageUnknown,
            &["no-such-package"],
        ),
        (
            &["needy"],
            "",
            Code::PackageConflict,
            &["needy", "nonesuch"],
        ),
        (&["cat", "dog"], "", Code::PackageConflict, &["cat", "dog"]),
        (&["broken"], "", Code::PackageFailed, &["broken"]),
    ];
    let mut wrong = Vec::new();
    for (packages, more, code, names) in table {
        let ended = isosmith.build(&small.profile_with("solver", "", packages, more)?)?;
        let judged = ended.failed_with(*code, 7).and_then(|message| {
            let error = ended.error()?;
            // What a person sees first: message, advice, causes.
            let shown = format!("{message} {} {}", error.advice, error.causes.join(" "));
            for name in *names {
                ensure!(shown.contains(name), "{name} is not named in: {shown}");
            }
            let partial = kit
                .cache()
                .join("partial")
                .join(ended.id().context("no id")?);
            let left = std::fs::read_dir(&partial).map_or(0, Iterator::count);
            ensure!(
                left == 0,
                "half-made things are left in {}",
                partial.display()
            );
            Ok(())
        });
        if let Err(error) = judged {
            wrong.push(format!("{packages:?}: {error:#}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// A snapshot's Release is past its Valid-Until by nature, and taken all the same.
fn snapshot(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("snapshot")?;
    let small = Small::serve(kit, scratch.path(), &[])?;
    let day = 86_400;
    small.archive.publish(
        Dates {
            date: now() - 90 * day,
            until: Some(now() - 83 * day),
        },
        Signing::Own,
    )?;
    let at = scratch.path().join("www/archive/debian");
    std::fs::create_dir_all(&at)?;
    std::os::unix::fs::symlink(small.archive.root(), at.join("20260131T000000Z"))?;
    let base = format!(
        "snapshot = \"20260131T000000Z\"\nsnapshot_base = \"http://127.0.0.1:{}\"\n",
        small.server.port()
    );
    let ended =
        kit.isosmith(scratch.path())
            .build(&small.profile_with("snapshot", &base, &[], "")?)?;
    ended.iso()?;
    ensure!(
        small
            .server
            .count("/archive/debian/20260131T000000Z/dists/trixie/InRelease")
            > 0,
        "the snapshot was not asked"
    );
    ensure!(
        ended.outcome("resolve") == Some(&Outcome::Done),
        "nothing was solved: {:?}",
        ended.outcome("resolve")
    );
    Ok(())
}
