//! P8: a build is its owner's. To everybody else it is as if it did not exist.

use anyhow::{Context, Result, ensure};
use isosmith_tests::{Fault, Kit, made::Made};
use libtest_mimic::Trial;

use super::trial;
use crate::{
    asks::{Arg, Ask},
    caller::{Caller, Refusal, done, is_one_of, refused},
    people::{ALICE, BOB, GRACE},
    world::{Request, World, folder, succeeded},
};

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![trial(kit, "owners::no_oracle", no_oracle)]
}

/// Everything that names a build.
const BY_ID: &[&str] = &["Describe", "Attach", "Cancel", "Answer", "Resume"];

fn no_oracle(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "owners")?;
    let slow = Made::new("slow", "1").file("/usr/share/slow", &"slow\n".repeat(4000), 0o644);
    let small = world.small(kit, &[slow])?;
    small.server.fault("/pool/slow_", Fault::Stall(100));
    let profile = small.profile_with("owners", "", &["slow"], "")?;
    let request = Request::of(&small, &profile)?;

    let (alice, bob) = (world.caller(ALICE)?, world.caller(BOB)?);
    for listener in [&alice, &bob] {
        done(listener.ask(Ask::Listen)?)?;
        // The helper has heard of both of them.
        listener.done("Version", vec![])?;
    }
    let out = world.folder_in_home(ALICE, "out")?;
    let id = request.start(&alice, &out)?;
    alice.await_state(&id, "running")?;

    invisible(&world, &bob, &id).context("a running build")?;
    let list = bob.refused("List", vec![Arg::Bool(true)])?;
    is_one_of(&list, &["NotAuthorised"])?;

    // Whoever may look after others' builds sees it, and may stop it.
    let grace = world.caller(GRACE)?;
    ensure!(grace.list(false)?.is_empty(), "it is not Grace's");
    ensure!(grace.list(true)? == [(id.clone(), "running".to_owned())]);
    ensure!(grace.describe(&id)?["uid"] == ALICE.id);
    let viewer = grace.attach(&id, 0)?;
    small.server.heal();
    let (events, over) = grace.hear(viewer, crate::caller::LONG)?;
    ensure!(over, "it did not end");
    succeeded(&events)?;

    invisible(&world, &bob, &id).context("a finished build")?;
    let heard = |who: &Caller| -> Result<Vec<serde_json::Value>> {
        let heard = done(who.ask(Ask::Heard)?)?;
        Ok(heard.as_array().cloned().unwrap_or_default())
    };
    let told = |signals: &[serde_json::Value], state: &str| {
        signals.iter().any(|signal| {
            signal["member"] == "Changed" && signal["body"] == serde_json::json!([id, state])
        })
    };
    let signals = heard(&alice)?;
    for state in ["running", "succeeded"] {
        ensure!(told(&signals, state), "Alice was not told: {signals:?}");
    }
    let signals = heard(&bob)?;
    ensure!(
        !signals.iter().any(|signal| signal["member"] == "Changed"),
        "Bob was told: {signals:?}"
    );
    drop((alice, bob, grace));
    world.end()
}

/// To Bob a build of Alice's is the same as one that never was: each call fails, with the very
/// same words but for the id.
fn invisible(world: &World, bob: &Caller, id: &str) -> Result<()> {
    let out = world.folder_in_home(BOB, "out")?;
    ensure!(bob.list(false)?.is_empty(), "Bob sees builds");
    // As long as the true one, and made like it.
    let never: String = id
        .chars()
        .map(|c| if c.is_ascii_digit() { '7' } else { c })
        .collect();
    ensure!(never != id);
    for method in BY_ID {
        let refusal = |id: &str| -> Result<Refusal> {
            let text = |text: &str| Arg::Text(text.to_owned());
            let mut args = vec![text(id)];
            match *method {
                "Attach" => args.push(Arg::U64(0)),
                "Answer" => args.extend([Arg::U32(1), text("stop")]),
                "Resume" => args.push(Arg::Descriptor(folder(&out))),
                _ => {}
            }
            let mut refusal =
                refused(bob.call(method, args)?).with_context(|| (*method).to_owned())?;
            refusal.message = refusal.message.replace(id, "ID");
            Ok(refusal)
        };
        let (real, none) = (refusal(id)?, refusal(&never)?);
        is_one_of(&real, &["NoSuchBuild"]).context(*method)?;
        ensure!(real == none, "{method} tells {real:?} from {none:?}");
    }
    Ok(())
}
