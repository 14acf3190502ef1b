//! Who may build, and how polkit is asked.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
};

use anyhow::{Context, Result, ensure};
use isosmith_protocol::EventKind;
use isosmith_tests::{
    Kit,
    bus::POLKIT,
    kit::{set_mode, sha256},
};
use libtest_mimic::Trial;
use serde_json::json;

use super::trial;
use crate::{
    asks::{Arg, Ask},
    caller::{done, is_one_of},
    mock::{Mock, Verdict},
    people::{ACTIONS, ALICE, CAROL, DAVE, ERIN, GRACE, MAKERS},
    world::{Polkit, Request, World, folder, succeeded},
};

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "authorise::the_tests_themselves", the_tests_themselves),
        trial(kit, "authorise::allowed", allowed),
        trial(kit, "authorise::not_allowed", not_allowed),
        trial(kit, "authorise::the_question", the_question),
        trial(kit, "authorise::the_policy", the_policy),
    ]
}

/// What the other tests stand on: callers are who they say, the real polkitd has read the rules
/// and knows the people, and its stand-in says what it is told to.
fn the_tests_themselves(kit: &Kit) -> Result<()> {
    let mut world = World::empty(kit, "themselves")?;
    let callers = [
        (world.caller(ALICE)?, (true, false), (false, false)),
        (world.caller(CAROL)?, (false, false), (false, false)),
        (world.caller(DAVE)?, (false, true), (false, true)),
        (world.caller(GRACE)?, (true, false), (true, false)),
    ];
    let connection = world.bus.connect()?;
    let bus = zbus::blocking::fdo::DBusProxy::new(&connection)?;
    let may = |name: &str, action: &str| -> Result<(bool, bool)> {
        let about = HashMap::from([("name", zbus::zvariant::Value::from(name))]);
        let subject = ("system-bus-name", about);
        let details = HashMap::from([("product", "x")]);
        let answer: ((bool, bool, HashMap<String, String>),) = connection
            .call_method(
                Some(POLKIT),
                "/org/freedesktop/PolicyKit1/Authority",
                Some("org.freedesktop.PolicyKit1.Authority"),
                "CheckAuthorization",
                &(subject, action, details, 1_u32, ""),
            )?
            .body()
            .deserialize()?;
        Ok((answer.0.0, answer.0.1))
    };
    world.polkit = Polkit::Real(world.bus.polkitd()?);
    for (caller, build, manage) in &callers {
        let name = done(caller.ask(Ask::Name)?)?;
        let name = name.as_str().context("no name")?;
        let uid = bus.get_connection_unix_user(name.try_into()?)?;
        ensure!(uid == caller.person.id, "{uid} is not {:?}", caller.person);
        for (action, want) in [("build", build), ("manage", manage)] {
            let said = may(name, &format!("org.isosmith.{action}"))?;
            ensure!(said == *want, "{:?}, {action}: {said:?}", caller.person);
        }
    }
    world.polkit = Polkit::Nobody;
    world.bus.await_name(POLKIT, false)?;
    let mock = Mock::start(&world.bus, Verdict::Challenge)?;
    ensure!(may(":1.1", "x")? == (false, true));
    mock.says(Verdict::Yes);
    ensure!(may(":1.1", "x")? == (true, false));
    mock.says(Verdict::Nonsense);
    ensure!(may(":1.1", "x").is_err(), "nonsense was understood");
    ensure!(mock.questions()?.len() == 3 && mock.questions()?[0].flags == 1);
    drop((mock, callers));
    world.end()
}

/// A user whom a rule allows builds, and gets the ISO in a folder of their own; again into a
/// folder that only a further group of theirs may write to.
fn allowed(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "allowed")?;
    let small = world.small(kit, &[])?;
    let request = Request::of(&small, &small.profile("allowed")?)?;
    let alice = world.caller(ALICE)?;
    let own = world.folder_in_home(ALICE, "out")?;
    let (id, events) = request.build(&alice, &own)?;
    let (name, sum) = succeeded(&events)?;
    delivered(&own, &name, &sum)?;

    ensure!(
        matches!(&events[0].kind, EventKind::Hello { build, .. } if build.to_string() == id),
        "the first event is not of this build: {:?}",
        events[0]
    );
    ensure!(
        matches!(&events[1].kind, EventKind::Planned { .. }),
        "the second event is no plan: {:?}",
        events[1]
    );
    ensure!(alice.list(false)? == [(id.clone(), "succeeded".to_owned())]);
    let about = alice.describe(&id)?;
    for (key, want) in [
        ("id", json!(id)),
        ("profile", json!("allowed")),
        ("state", json!("succeeded")),
        ("uid", json!(ALICE.id)),
        ("iso", json!(name)),
        ("resumable", json!(false)),
    ] {
        ensure!(about[key] == want, "{key} is {}, not {want}", about[key]);
    }
    let isolation = about["isolation"].as_str().unwrap_or_default();
    ensure!(
        matches!(&events[0].kind, EventKind::Hello { isolation: told, .. }
            if serde_json::to_value(told)? == json!(isolation)),
        "Describe says {isolation}, the build itself another: {:?}",
        events[0]
    );
    let result: serde_json::Value =
        serde_json::from_str(about["result"].as_str().unwrap_or_default())?;
    ensure!(
        result["iso"]["checksums"]["sha256"] == json!(sum),
        "{result}"
    );
    let session: Vec<serde_json::Value> =
        serde_json::from_str(about["session"].as_str().unwrap_or_default())?;
    ensure!(session.is_empty(), "the session changed: {session:?}");

    let shared = world.folder().join("shared");
    fs::create_dir(&shared)?;
    set_mode(&shared, 0o2770)?;
    std::os::unix::fs::chown(&shared, Some(0), Some(MAKERS.id))?;
    let (_, events) = request.build(&alice, &shared)?;
    let (name, again) = succeeded(&events)?;
    ensure!(again == sum, "the second ISO is another");
    ensure!(sha256(&shared.join(&name))? == sum, "{name} is another");
    ensure!(fs::metadata(shared.join(&name))?.uid() == ALICE.id);
    drop(alice);
    world.end()
}

/// An ISO and what goes with it, each a plain file of Alice's, and nothing else.
fn delivered(out: &Path, name: &str, sum: &str) -> Result<()> {
    ensure!(sha256(&out.join(name))? == sum, "{name} is another");
    for entry in fs::read_dir(out)? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let meta = entry.metadata()?;
        ensure!(meta.is_file(), "{file} is no file");
        ensure!(
            (meta.uid(), meta.gid(), meta.mode() & 0o7777) == (ALICE.id, ALICE.id, 0o644),
            "{file} belongs to {}:{} with {:o}",
            meta.uid(),
            meta.gid(),
            meta.mode()
        );
        let stem = name.trim_end_matches(".iso");
        ensure!(file.starts_with(stem), "{file} does not belong to {name}");
    }
    let checksum = fs::read_to_string(out.join(format!("{name}.sha256")))?;
    ensure!(checksum.contains(sum), "{checksum}");
    Ok(())
}

/// Whoever has not the right is refused, and leaves nothing behind.
fn not_allowed(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "not-allowed")?;
    let small = world.small(kit, &[])?;
    let denied = Request::of(&small, &small.profile("denied")?)?;
    let wrong = [
        (CAROL, "by a rule"),
        (DAVE, "for want of an answer"),
        (ERIN, "by a rule that looks at what is to be built"),
    ];
    for (person, why) in wrong {
        let caller = world.caller(person)?;
        let out = world.folder_in_home(person, "out")?;
        let refusal = caller.refused("Start", denied.args(folder(&out)))?;
        is_one_of(&refusal, &["NotAuthorised"]).context(why)?;
        ensure!(caller.list(false)?.is_empty(), "there is a build");
        ensure!(fs::read_dir(&out)?.next().is_none(), "something came");
        for (method, args) in [
            ("List", vec![Arg::Bool(true)]),
            (
                "Clean",
                vec![Arg::Text("leftovers".into()), Arg::Bool(true)],
            ),
        ] {
            is_one_of(&caller.refused(method, args)?, &["NotAuthorised"]).context(method)?;
        }
    }
    ensure!(
        left_of_requests(&world.state)?.is_empty(),
        "a refused request left {:?}",
        left_of_requests(&world.state)?
    );
    // What was refused to Erin for its name is not refused for another, so the details that
    // she saw are those that the rule saw.
    let erin = world.caller(ERIN)?;
    let request = Request::of(&small, &small.profile("allowed")?)?;
    let out = world.folder_in_home(ERIN, "out")?;
    let id = request.start(&erin, &out)?;
    erin.done("Cancel", vec![Arg::Text(id.clone())])?;
    erin.events(&id, 0)?;
    // And whoever may do everything may look after others' builds.
    let grace = world.caller(GRACE)?;
    ensure!(grace.list(true)?.iter().any(|(seen, _)| *seen == id));
    let dry = vec![Arg::Text("leftovers".into()), Arg::Bool(true)];
    grace.done("Clean", dry)?;
    drop((erin, grace));
    world.end()
}

/// Files below the state folder that hold anything of a request.
fn left_of_requests(state: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![state.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if fs::read(&path)
                .is_ok_and(|bytes| bytes.windows(6).any(|word| word == b"denied"))
            {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// P2 and P3: the subject is the caller's bus name and nothing else, all types are those that
/// polkit's interface has, and the details say what will be built.
fn the_question(kit: &Kit) -> Result<()> {
    let world = World::mock(kit, "question", Verdict::No)?;
    let small = world.small(kit, &[])?;
    let request = Request::of(&small, &small.profile("question")?)?;
    let polkit = world.polkit()?;
    let alice = world.caller(ALICE)?;
    let name = done(alice.ask(Ask::Name)?)?;
    let out = world.folder_in_home(ALICE, "out")?;
    let everybody = vec![Arg::Bool(true)];
    let clean = vec![Arg::Text("unused".into()), Arg::Bool(true)];
    let calls = [
        ("Start", request.args(folder(&out)), "org.isosmith.build"),
        ("List", everybody, "org.isosmith.manage"),
        ("Clean", clean, "org.isosmith.manage"),
    ];
    for (number, (method, args, action)) in calls.into_iter().enumerate() {
        is_one_of(&alice.refused(method, args)?, &["NotAuthorised"])?;
        let questions = polkit.questions()?;
        ensure!(questions.len() == number + 1, "{method}: {questions:?}");
        let question = &questions[number];
        ensure!(
            question.signature == "(sa{sv})sa{ss}us",
            "{method}: the types are {}",
            question.signature
        );
        ensure!(question.subject == "system-bus-name", "{question:?}");
        let about = BTreeMap::from([("name".to_owned(), ("s".to_owned(), name.clone()))]);
        ensure!(question.about == about, "{method}: {:?}", question.about);
        ensure!(
            question.action.starts_with(action),
            "{method}: the action is {}",
            question.action
        );
        ensure!(question.flags == 1, "{method}: nobody would be asked");
    }
    let details = &polkit.questions()?[0].details;
    let keys: BTreeSet<&str> = details
        .keys()
        .map(String::as_str)
        .filter(|key| !key.starts_with("polkit."))
        .collect();
    let want = ["product", "what", "packages", "folder", "spec-sha256"];
    ensure!(keys == BTreeSet::from(want), "the details are {details:?}");
    ensure!(
        details["product"].to_lowercase().contains("question"),
        "{details:?}"
    );
    ensure!(details["what"].contains("trixie"), "{details:?}");
    ensure!(details["folder"].contains("out"), "{details:?}");
    ensure!(is_sha256(&details["spec-sha256"]), "{details:?}");

    // The hash is of everything that matters, and of nothing else.
    let hash = |request: &Request| -> Result<String> {
        let count = polkit.questions()?.len();
        is_one_of(
            &alice.refused("Start", request.args(folder(&out)))?,
            &["NotAuthorised"],
        )?;
        let questions = polkit.questions()?;
        ensure!(questions.len() == count + 1, "nobody was asked");
        Ok(questions[count].details["spec-sha256"].clone())
    };
    let first = hash(&request)?;
    ensure!(first == hash(&request)?, "the same request, another hash");
    let mut changed = request.clone();
    changed.spec.push_str("\n# another\n");
    ensure!(first != hash(&changed)?, "another profile, the same hash");
    let mut changed = request.clone();
    changed.options = vec![("strict".to_owned(), Arg::Bool(true))];
    ensure!(first != hash(&changed)?, "other options, the same hash");
    let mut changed = request;
    if let Some((_, crate::asks::Source::Text(text))) = changed.files.first_mut() {
        text.push('\n');
    }
    ensure!(first != hash(&changed)?, "another file, the same hash");
    drop(alice);
    world.end()
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// P7: what polkit itself has read of the policy, and that each build is a question of its
/// own.
fn the_policy(kit: &Kit) -> Result<()> {
    let world = World::real(kit, "policy")?;
    type Row = (
        String,
        String,
        String,
        String,
        String,
        String,
        u32,
        u32,
        u32,
        HashMap<String, String>,
    );
    let rows: Vec<Row> = world
        .bus
        .connect()?
        .call_method(
            Some(POLKIT),
            "/org/freedesktop/PolicyKit1/Authority",
            Some("org.freedesktop.PolicyKit1.Authority"),
            "EnumerateActions",
            &"",
        )?
        .body()
        .deserialize()?;
    for (action, default) in ACTIONS {
        let id = format!("org.isosmith.{action}");
        let row = rows
            .iter()
            .find(|row| row.0 == id)
            .with_context(|| format!("polkit does not know {id}"))?;
        // PolkitImplicitAuthorization: 2 is an administrator's password, 4 one that is kept.
        let active = if *default == "auth_admin_keep" { 4 } else { 2 };
        ensure!(row.8 == active, "{id}: active sessions get {}", row.8);
        for other in [row.6, row.7] {
            ensure!([0, 2, active].contains(&other), "{id}: others get {other}");
        }
        ensure!(!row.2.is_empty(), "{id} has no message");
    }
    world.end()?;

    let world = World::mock(kit, "policy-each", Verdict::Yes)?;
    let small = world.small(kit, &[])?;
    let alice = world.caller(ALICE)?;
    let out = world.folder_in_home(ALICE, "out")?;
    for (number, name) in ["one", "two"].iter().enumerate() {
        let request = Request::of(&small, &small.profile(name)?)?;
        let id = request.start(&alice, &out)?;
        ensure!(world.polkit()?.questions()?.len() == number + 1);
        alice.done("Cancel", vec![Arg::Text(id.clone())])?;
        alice.events(&id, 0)?;
    }
    drop(alice);
    world.end()
}
