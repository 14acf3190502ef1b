use std::sync::Mutex;

use super::*;

/// Says what the test wants, and notes what was asked.
struct Says {
    answer: fn() -> Result<Answer, Silence>,
    asked: Arc<Mutex<Vec<(String, String, bool)>>>,
    /// Who leaves the bus while the question is open.
    leaves: Option<Arc<Callers>>,
}

impl Authority for Says {
    fn ask(&self, question: &Question<'_>) -> Result<Answer, Silence> {
        self.asked.lock().expect("one thread").push((
            question.subject.to_owned(),
            question.action.to_owned(),
            question.interactive,
        ));
        if let Some(callers) = &self.leaves {
            callers.gone(question.subject);
        }
        (self.answer)()
    }
}

struct Numbered;

impl Identities for Numbered {
    /// `:1.1000` is 1000's connection.
    fn uid_of(&self, name: &str) -> Result<u32, Silence> {
        name.strip_prefix(":1.")
            .and_then(|number| number.parse().ok())
            .ok_or(Silence::Late)
    }
}

type Asked = Arc<Mutex<Vec<(String, String, bool)>>>;

fn gate(answer: fn() -> Result<Answer, Silence>, vanishes: bool) -> (Gate, Asked) {
    let callers = Arc::new(Callers::default());
    for name in [":1.1000", ":1.1001", ":1.x"] {
        assert!(callers.enters(name));
    }
    let asked = Asked::default();
    let says = Says {
        answer,
        asked: asked.clone(),
        leaves: vanishes.then(|| callers.clone()),
    };
    (
        Gate::new(callers, Box::new(Numbered), Box::new(says)),
        asked,
    )
}

fn answer(authorised: bool, dismissed: bool) -> Result<Answer, Silence> {
    Ok(Answer {
        authorised,
        dismissed,
    })
}

fn yes() -> Result<Answer, Silence> {
    answer(true, false)
}

fn no() -> Result<Answer, Silence> {
    answer(false, false)
}

#[test]
fn only_a_clear_yes_is_a_permit() {
    type Case = (
        &'static str,
        fn() -> Result<Answer, Silence>,
        bool,
        Result<(), Kind>,
    );
    let cases: [Case; 9] = [
        ("yes", yes, false, Ok(())),
        ("no", no, false, Err(Kind::NotAuthorised)),
        (
            "dismissed",
            || answer(false, true),
            false,
            Err(Kind::Dismissed),
        ),
        (
            "contradiction",
            || answer(true, true),
            false,
            Err(Kind::Dismissed),
        ),
        (
            "late",
            || Err(Silence::Late),
            false,
            Err(Kind::NotAuthorised),
        ),
        (
            "vanished",
            || Err(Silence::Vanished),
            false,
            Err(Kind::NotAuthorised),
        ),
        (
            "absent",
            || Err(Silence::Error("ServiceUnknown".into(), "none".into())),
            false,
            Err(Kind::NotAuthorised),
        ),
        (
            "forged",
            || Err(Silence::Forged),
            false,
            Err(Kind::NotAuthorised),
        ),
        (
            "yes, to somebody who has left",
            yes,
            true,
            Err(Kind::NotAuthorised),
        ),
    ];
    for (name, says, vanishes, want) in cases {
        let (gate, asked) = gate(says, vanishes);
        let caller = gate.admit(":1.1000", false).expect(name);
        let permit = gate.permit(&caller, Action::Build, Vec::new());
        assert_eq!(
            permit.map(|permit| permit.action()).map_err(|e| e.kind),
            want.map(|()| Action::Build),
            "{name}"
        );
        assert_eq!(
            *asked.lock().expect("one thread"),
            [(":1.1000".to_owned(), "org.isosmith.build".to_owned(), true)],
            "{name}"
        );
    }
}

#[test]
fn nobody_without_a_name_comes_in() {
    let (gate, _) = gate(yes, false);
    let refusal = gate.admit(":1.x", true).expect_err("the bus says nothing");
    assert_eq!(refusal.kind, Kind::NotAuthorised);
}

#[test]
fn a_build_of_others_is_as_good_as_none() {
    let owner = |id: &BuildId| (id.as_str() == "mine").then_some(1000);
    type Case = (
        &'static str,
        &'static str,
        &'static str,
        bool,
        fn() -> Result<Answer, Silence>,
        Result<(), Kind>,
        usize,
    );
    let cases: [Case; 9] = [
        ("own", ":1.1000", "mine", false, no, Ok(()), 0),
        (
            "others'",
            ":1.1001",
            "mine",
            false,
            no,
            Err(Kind::NoSuchBuild),
            1,
        ),
        (
            "none",
            ":1.1001",
            "none",
            false,
            no,
            Err(Kind::NoSuchBuild),
            1,
        ),
        (
            "no id",
            ":1.1001",
            "../x",
            false,
            no,
            Err(Kind::NoSuchBuild),
            1,
        ),
        (
            "own none",
            ":1.1000",
            "none",
            false,
            no,
            Err(Kind::NoSuchBuild),
            1,
        ),
        ("managed", ":1.1001", "mine", true, yes, Ok(()), 1),
        (
            "managed none",
            ":1.1001",
            "none",
            true,
            yes,
            Err(Kind::NoSuchBuild),
            1,
        ),
        (
            "closed",
            ":1.1001",
            "mine",
            true,
            || answer(false, true),
            Err(Kind::Dismissed),
            1,
        ),
        (
            "closed none",
            ":1.1001",
            "none",
            true,
            || answer(false, true),
            Err(Kind::Dismissed),
            1,
        ),
    ];
    for (name, who, id, interactive, says, want, questions) in cases {
        let (gate, asked) = gate(says, false);
        let caller = gate.admit(who, interactive).expect(name);
        let access = gate.access(&caller, id, owner);
        assert_eq!(
            access.map(drop).map_err(|refusal| refusal.kind),
            want,
            "{name}"
        );
        let asked = asked.lock().expect("one thread");
        assert_eq!(asked.len(), questions, "{name}");
        assert!(
            asked.iter().all(|(_, _, asks)| *asks == interactive),
            "{name}"
        );
    }
}

#[test]
fn weaker_isolation_needs_the_action_that_is_never_kept() {
    for (isolation, want) in [
        (Isolation::Namespace, "org.isosmith.build"),
        (Isolation::Hybrid, "org.isosmith.build-weaker"),
        (Isolation::Traditional, "org.isosmith.build-weaker"),
        (Isolation::Other, "org.isosmith.build-weaker"),
    ] {
        assert_eq!(Action::build_in(isolation).id(), want);
    }
}
