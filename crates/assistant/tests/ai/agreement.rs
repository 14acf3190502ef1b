//! Nothing is sent before somebody has agreed.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::{
    lab::Lab,
    server::{Scene, ollama},
};

#[test]
fn without_agreement_and_terminal_nothing_is_sent() {
    let lab = Lab::new("ollama");
    for args in [
        &["question"][..],
        &["--yes", "question"],
        &["explain"],
        &["explain", "--yes"],
    ] {
        let done = lab.run(args, b"some text\n");
        done.failed(3, &["nobody has agreed", "nothing was sent", "ai setup"]);
    }
    let done = lab.run(&["status"], b"");
    assert!(
        done.went_well()
            .contains("not asked, because nobody has agreed")
    );
    assert!(lab.server.heard().is_empty());
}

#[test]
fn piped_text_is_not_sent_unseen() {
    let lab = Lab::agreed("ollama");
    let done = lab.run(&["explain"], b"some text\n");
    done.failed(3, &["nothing was sent", "--yes"]);
    assert!(lab.server.heard().is_empty());
}

#[test]
fn the_first_question_asks_and_remembers() {
    let lab = Lab::new("ollama");
    let mut person = lab.on_a_terminal("$ai question");
    person
        .sees("Before the first question")
        .sees(&lab.server.address);
    person
        .sees("nothing leaves it")
        .sees("Do you agree? [y/N]")
        .types("\n");
    let (code, shown) = person.ends();
    assert_eq!(code, Some(3), "{shown}");
    assert!(lab.server.heard().is_empty());
    assert!(!lab.consent().exists());

    lab.server.plays(Scene::Stream(ollama(&["the answer"])));
    lab.server
        .plays(Scene::Stream(ollama(&["the second answer"])));
    let mut person = lab.on_a_terminal("$ai question");
    person.sees("Do you agree? [y/N]");
    assert!(lab.server.heard().is_empty());
    person.types("y\n").sees("the answer");
    assert_eq!(person.ends().0, Some(0));
    let done = lab.run(&["question"], b"");
    assert_eq!(done.went_well(), "the second answer\n");

    // Another server is another question, and a word takes it back.
    let other = Lab::new("ollama");
    fs::create_dir_all(other.consent().parent().unwrap()).unwrap();
    fs::copy(lab.consent(), other.consent()).unwrap();
    other
        .run(&["question"], b"")
        .failed(3, &["nobody has agreed"]);
    assert!(lab.run(&["forget"], b"").went_well().contains("taken back"));
    lab.run(&["question"], b"")
        .failed(3, &["nobody has agreed"]);
}

#[test]
fn piped_text_is_shown_as_it_is_sent() {
    let lab = Lab::agreed("ollama");
    let line = "printf 'user ada\\npassword=hunter2\\nend\\n' | $ai explain";
    let mut person = lab.on_a_terminal(line);
    person
        .sees("Cut out before sending: 1 password")
        .sees("password=[removed]");
    person.sees("Send it?").types("n\n");
    let (code, shown) = person.ends();
    assert_eq!(code, Some(3), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(lab.server.heard().is_empty());

    // "Always" is remembered; only then may it go without a terminal.
    lab.server.plays(Scene::Stream(ollama(&["seen"])));
    lab.server.plays(Scene::Stream(ollama(&["unseen"])));
    let mut person = lab.on_a_terminal(line);
    person.sees("Send it?").types("a\n").sees("seen");
    assert_eq!(person.ends().0, Some(0));
    let done = lab.run(&["explain"], b"text");
    assert_eq!(done.went_well(), "unseen\n");
}

#[test]
fn a_long_text_can_be_viewed_whole() {
    let lab = Lab::agreed("ollama");
    let mut person = lab.on_a_terminal("seq -f 'line %g.' 100 | $ai explain");
    person
        .sees("line 1.")
        .sees("[… 76 more lines]")
        .sees("line 100.");
    person
        .sees("Send it?")
        .types("v\n")
        .sees("line 50.")
        .sees("line 100.");
    person.sees("Send it?").types("\n");
    assert_eq!(person.ends().0, Some(3));
    assert!(lab.server.heard().is_empty());
}

#[test]
fn what_would_be_sent_can_be_seen_without_agreeing() {
    let lab = Lab::new("ollama");
    let done = lab.run(&["explain", "--show"], b"password=hunter2\nrest\n");
    let shown = done.went_well();
    assert!(shown.contains("password=[removed]\nrest"), "{shown}");
    assert!(lab.server.heard().is_empty());
}

#[test]
fn the_dialog_writes_settings_that_work() {
    let lab = Lab::new("ollama");
    fs::remove_file(lab.config()).unwrap();
    lab.run(&["question"], b"")
        .failed(2, &["no endpoint is set", "ai setup"]);
    lab.run(&["setup"], b"").failed(2, &["needs a terminal"]);

    lab.server
        .plays(Scene::Whole(200, "", r#"{"data":[{"id":"big"}]}"#.into()));
    let mut person = lab.on_a_terminal("$ai setup");
    person
        .sees("Interface")
        .types("telepathy\n")
        .sees("Write ollama or openai");
    person
        .types("openai\n")
        .sees("Address")
        .types("nonsense\n")
        .sees("must begin with");
    person.types(&format!("{}/\n", lab.server.address));
    person
        .sees("Model")
        .types("big\n")
        .sees("Key")
        .types("sesame-key\n");
    person
        .sees("networks")
        .types("y\n")
        .sees("e-mail")
        .types("\n");
    person
        .sees("Do you agree?")
        .types("y\n")
        .sees("Its models: big");
    let (code, shown) = person.ends();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("sesame"), "{shown}");
    let mode = fs::metadata(lab.config()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    lab.server
        .plays(Scene::Whole(200, "", r#"{"data":[{"id":"big"}]}"#.into()));
    let done = lab.run(&["status"], b"");
    let status = done.went_well();
    for words in [
        "big",
        "OpenAI-compatible",
        "Key           set",
        "has the model",
    ] {
        assert!(status.contains(words), "no {words} in {status}");
    }
    assert!(!status.contains("sesame"), "{status}");
}
