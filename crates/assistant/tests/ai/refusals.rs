//! What goes wrong, and what is said about it.

use std::net::TcpListener;

use crate::{
    lab::Lab,
    server::{Scene, ollama, openai},
};

#[test]
fn refusals_say_what_to_do() {
    for (interface, status, headers, body, words) in [
        (
            "ollama",
            404,
            "",
            r#"{"error":"model \"m\" not found, try pulling it first"}"#,
            &["no model m", "ollama pull m"][..],
        ),
        (
            "ollama",
            404,
            "",
            "404 page not found",
            &["no Ollama interface", "the other"],
        ),
        (
            "openai",
            401,
            "",
            r#"{"error":{"message":"Incorrect API key"}}"#,
            &["wants a key: Incorrect API key", "ISOSMITH_AI_KEY"],
        ),
        (
            "openai",
            429,
            "retry-after: 7\r\n",
            "",
            &["too many questions", "in 7 seconds"],
        ),
        ("openai", 429, "", "{}", &["Wait a little"]),
        ("openai", 413, "", "", &["too much text", "tail"]),
        ("openai", 503, "", "<html>", &["a fault of its own (503)"]),
        (
            "openai",
            400,
            "",
            "\u{1b}]0;x\u{7}",
            &["refuses the question (400)"],
        ),
        (
            "openai",
            307,
            "location: http://elsewhere.invalid/\r\n",
            "",
            &[
                "sends elsewhere, to http://elsewhere.invalid/",
                "nothing was sent there",
            ],
        ),
    ] {
        let lab = Lab::agreed(interface);
        lab.server.plays(Scene::Whole(status, headers, body.into()));
        let done = lab.run(&["question"], b"");
        done.failed(5, words);
        assert!(!done.err.contains('\u{1b}'), "{}", done.err);
        assert_eq!(done.out, "");
        assert_eq!(lab.server.heard().len(), 1);
    }
}

#[test]
fn answers_that_are_none_are_told_apart() {
    let part = |pieces: Vec<Vec<u8>>| pieces[..1].to_vec();
    for (interface, scene, out, words) in [
        (
            "ollama",
            Scene::Broken(part(ollama(&["half"]))),
            "half\n",
            "broke off",
        ),
        (
            "ollama",
            Scene::Stream(part(ollama(&["half"]))),
            "half\n",
            "broke off",
        ),
        (
            "openai",
            Scene::Stream(part(openai(&["half"]))),
            "half\n",
            "broke off",
        ),
        (
            "ollama",
            Scene::Stream(vec![b"{\"error\":\"no memory\"}\n".to_vec()]),
            "",
            "given up: no memory",
        ),
        (
            "openai",
            Scene::Stream(vec![
                b"data: {\"error\":{\"message\":\"no memory\"}}\n\n".to_vec(),
            ]),
            "",
            "given up: no memory",
        ),
        (
            "openai",
            Scene::Whole(200, "", "<html>hello</html>".into()),
            "",
            "no answer: <html>",
        ),
        (
            "ollama",
            Scene::Stream(vec![vec![b'x'; 3 << 20]]),
            "",
            "without an end",
        ),
    ] {
        let lab = Lab::agreed(interface);
        lab.server.plays(scene);
        let done = lab.run(&["question"], b"");
        done.failed(6, &[words]);
        assert_eq!(done.out, out, "{words}");
    }
}

#[test]
fn an_answer_without_end_is_stopped() {
    let lab = Lab::agreed("ollama");
    let text = "x".repeat(1 << 16);
    lab.server
        .plays(Scene::Stream(ollama(&vec![text.as_str(); 40])));
    let done = lab.run(&["question"], b"");
    done.failed(6, &["does not end"]);
    assert!(done.out.len() < 3 << 20);
}

#[test]
fn a_server_that_is_down_is_no_riddle() {
    let lab = Lab::agreed("ollama");
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for (interface, endpoint, words) in [
        (
            "ollama",
            format!("http://127.0.0.1:{port}"),
            &["does not answer", "ollama serve", "ai setup"][..],
        ),
        (
            "openai",
            "http://nowhere.invalid".to_owned(),
            &["nowhere.invalid", "connected to the network"],
        ),
    ] {
        lab.configure(&format!(
            "interface = \"{interface}\"\nendpoint = \"{endpoint}\"\nmodel = \"m\"\n"
        ));
        lab.agree(&endpoint);
        lab.run(&["question"], b"").failed(4, words);
        let status = lab.run(&["status"], b"");
        status.failed(4, words);
        assert!(status.out.contains("Answers       no"), "{}", status.out);
    }
}

#[test]
fn a_wrong_command_line_or_file_is_said() {
    let lab = Lab::agreed("ollama");
    lab.run(&[], b"").failed(2, &["Usage"]);
    lab.run(&["--nonsense"], b"").failed(2, &["--nonsense"]);
    lab.run(&["  "], b"").failed(2, &["the question is empty"]);
    lab.run(&["chat"], b"").failed(2, &["needs a terminal"]);
    lab.run(&["explain", "--yes"], b"")
        .failed(1, &["nothing to explain"]);
    lab.run(&["explain", "--yes"], &[0; 64])
        .failed(1, &["no text"]);
    lab.configure("nonsense = 1");
    lab.run(&["x"], b"").failed(2, &["config.toml", "nonsense"]);
    assert!(lab.server.heard().is_empty());
}
