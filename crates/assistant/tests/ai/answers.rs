//! What comes back, and what was sent for it.

use std::{io::Read, sync::mpsc};

use crate::{
    lab::Lab,
    server::{Scene, ollama, openai},
};

#[test]
fn both_interfaces_answer() {
    for (interface, stream, path) in [
        (
            "ollama",
            ollama(&["Hello", ", ", "wörld"]),
            "POST /api/chat ",
        ),
        (
            "openai",
            openai(&["Hello", ", ", "wörld"]),
            "POST /v1/chat/completions ",
        ),
    ] {
        let lab = Lab::agreed(interface);
        lab.server.plays(Scene::Stream(stream));
        let done = lab.run(&["what", "is", "this?"], b"");
        assert_eq!(done.went_well(), "Hello, wörld\n", "{interface}");
        let heard = &lab.server.heard()[0];
        assert!(heard.line.starts_with(path), "{}", heard.line);
        let body: serde_json::Value = serde_json::from_str(&heard.body).unwrap();
        assert_eq!(body["model"], "m");
        assert_eq!(body["stream"], true);
        assert_eq!(body["messages"][1]["role"], "user");
        assert_eq!(body["messages"][1]["content"], "what is this?");
    }
}

#[test]
fn answers_arrive_piece_by_piece() {
    for (interface, pieces) in [
        ("ollama", ollama(&["first ", "second"])),
        ("openai", openai(&["first ", "second"])),
    ] {
        let lab = Lab::agreed(interface);
        let (go, steps) = mpsc::channel();
        lab.server.plays(Scene::Stepwise(pieces, steps));
        let mut child = lab.start(&["question"]);
        let mut out = child.stdout.take().unwrap();
        // The server sends nothing more before this has been seen.
        let mut first = [0; 6];
        out.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"first ", "{interface}");
        go.send(()).unwrap();
        go.send(()).unwrap();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "second\n", "{interface}");
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn when_nobody_reads_any_more_nothing_is_said() {
    let lab = Lab::agreed("ollama");
    let (go, steps) = mpsc::channel();
    lab.server
        .plays(Scene::Stepwise(ollama(&["first ", "second"]), steps));
    let mut child = lab.start(&["question"]);
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 6]).unwrap();
    drop(out);
    go.send(()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn letters_are_whole_wherever_the_stream_is_cut() {
    let lab = Lab::agreed("ollama");
    let whole: Vec<u8> = ollama(&["grün 😀", " ja"]).concat();
    lab.server
        .plays(Scene::Stream(whole.chunks(1).map(<[u8]>::to_vec).collect()));
    assert_eq!(lab.run(&["x"], b"").went_well(), "grün 😀 ja\n");
}

#[test]
fn an_answer_cannot_command_the_terminal() {
    let lab = Lab::agreed("ollama");
    lab.server.plays(Scene::Stream(ollama(&[
        "a\u{1b}",
        "[2Jb\u{1b}]0;title",
        "\u{7}c\rd\u{9b}31me\u{202e}f",
    ])));
    assert_eq!(lab.run(&["x"], b"").went_well(), "abcdef\n");
}

#[test]
fn what_is_not_utf8_does_not_stop_an_answer() {
    let lab = Lab::agreed("ollama");
    let mut pieces = vec![b"{\"message\":{\"content\":\"gr\xfcn\"},\"done\":false}\n".to_vec()];
    pieces.extend(ollama(&[]));
    lab.server.plays(Scene::Stream(pieces));
    assert_eq!(lab.run(&["x"], b"").went_well(), "gr\u{fffd}n\n");
}

#[test]
fn no_secret_and_no_escape_sequence_reaches_the_server() {
    let log = "\u{1b}[31mJan 01 app: login password=hunter2 failed\u{1b}[0m\n\
        GET https://ada:hunter3@example.org/\n\
        Authorization: Bearer hunter4hunter4hunter4\n\
        key AKIAIOSFODNN7EXAMPLE\n\
        /home/lovelace/.ssh/id\n\
        -----BEGIN OPENSSH PRIVATE KEY-----\nhunter5\n-----END OPENSSH PRIVATE KEY-----\n\
        mail ada@example.org from 192.0.2.7\n\
        the last line stays\n";
    for (args, gone, stays) in [
        (
            &["explain", "--yes", "my", "token=hunter6", "here"][..],
            &[][..],
            &["ada@example.org", "192.0.2.7"][..],
        ),
        (
            &["explain", "--yes", "--hide-mail", "--hide-addresses"],
            &["ada@example.org", "192.0.2.7"],
            &[],
        ),
    ] {
        let lab = Lab::agreed("openai");
        lab.server.plays(Scene::Stream(openai(&["ok"])));
        let done = lab.run(args, log.as_bytes());
        done.went_well();
        assert!(
            done.err.contains("Cut out before sending: "),
            "{}",
            done.err
        );
        let body = &lab.server.heard()[0].body;
        for secret in ["hunter", "EXAMPLE", "lovelace", "\\u001b", "[31m"]
            .iter()
            .chain(gone)
        {
            assert!(!body.contains(secret), "{secret} in {body}");
        }
        for word in ["the last line stays", "[private key]"].iter().chain(stays) {
            assert!(body.contains(word), "no {word} in {body}");
        }
    }
}

#[test]
fn of_a_long_log_the_end_is_sent() {
    let lab = Lab::agreed("ollama");
    lab.server.plays(Scene::Stream(ollama(&["ok"])));
    let log: String = (0..50_000)
        .map(|number| format!("line {number}\n"))
        .collect();
    let done = lab.run(&["explain", "--yes"], log.as_bytes());
    done.went_well();
    assert!(done.err.contains("bytes are not sent"), "{}", done.err);
    let body = &lab.server.heard()[0].body;
    assert!(body.contains("line 49999") && !body.contains("line 40000\\n"));
    assert!(body.len() < 40_000, "{}", body.len());
}

#[test]
fn the_key_comes_from_the_file_or_the_environment() {
    let lab = Lab::agreed("openai");
    let address = &lab.server.address;
    lab.configure(&format!(
        "interface = \"openai\"\nendpoint = \"{address}/v1\"\nmodel = \"m\"\napi_key = \"from-the-file\"\n"
    ));
    lab.agree(&format!("{address}/v1"));
    for (env, key) in [
        (&[][..], "authorization: bearer from-the-file"),
        (
            &[("ISOSMITH_AI_KEY", "from-the-environment")][..],
            "authorization: bearer from-the-environment",
        ),
    ] {
        lab.server.plays(Scene::Stream(openai(&["ok"])));
        lab.run_with(&["x"], b"", env).went_well();
        let heard = lab.server.heard().pop().unwrap();
        assert!(heard.headers.contains(key), "{}", heard.headers);
        assert!(heard.line.starts_with("POST /v1/chat/completions "));
    }
}

#[test]
fn a_conversation_remembers_what_was_said() {
    let lab = Lab::agreed("ollama");
    lab.server.plays(Scene::Stream(ollama(&["first answer"])));
    lab.server.plays(Scene::Whole(500, "", String::new()));
    lab.server.plays(Scene::Stream(ollama(&["third answer"])));
    lab.server.plays(Scene::Stream(ollama(&["fourth answer"])));
    let mut person = lab.on_a_terminal("$ai chat");
    person
        .sees("ai> ")
        .types("first question\n")
        .sees("first answer");
    person
        .sees("ai> ")
        .types("second question\n")
        .sees("a fault of its own");
    person
        .sees("ai> ")
        .types("third question\n")
        .sees("third answer");
    person.sees("ai> ").types("/new\n").sees("forgotten");
    person
        .sees("ai> ")
        .types("fourth question\n")
        .sees("fourth answer");
    person.sees("ai> ").types("\n");
    assert_eq!(person.ends().0, Some(0));
    let bodies: Vec<String> = lab
        .server
        .heard()
        .iter()
        .map(|heard| heard.body.clone())
        .collect();
    assert!(bodies[2].contains("first question") && bodies[2].contains("first answer"));
    // What was not answered is not said again.
    assert!(!bodies[2].contains("second question"));
    assert!(!bodies[3].contains("third"));
}

#[test]
fn the_interrupt_key_stops_an_answer() {
    let lab = Lab::agreed("ollama");
    for (line, code) in [("exec $ai question", 130), ("exec $ai chat", 0)] {
        let (_go, steps) = mpsc::channel();
        lab.server
            .plays(Scene::Stepwise(ollama(&["first", "never"]), steps));
        let mut person = lab.on_a_terminal(line);
        if code == 0 {
            person.sees("ai> ").types("question\n");
        }
        person.sees("first").types("\u{3}");
        if code == 0 {
            person.sees("(stopped)").sees("ai> ").types("\n");
        }
        let (status, shown) = person.ends();
        assert_eq!(status, Some(code), "{shown}");
        assert!(!shown.contains("never"), "{shown}");
    }
}
