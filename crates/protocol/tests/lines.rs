//! Lines: their limits, and what is no event.

use std::io::{BufReader, Cursor};

use isosmith_protocol::{
    BuildId, Code, Event, EventKind, Level, StepId, Stream,
    line::{self, LineError, MAX_LINE},
};

fn log(text: &str) -> Event {
    let kind = EventKind::Log {
        step: StepId::new("base"),
        stream: Stream::Stdout,
        level: Level::Debug,
        line: text.to_owned(),
    };
    Event {
        seq: 7,
        at_ms: 1200,
        kind,
    }
}

fn written(event: &Event) -> Vec<u8> {
    let mut bytes = Vec::new();
    line::write(&mut bytes, event).expect("memory takes everything");
    bytes
}

#[test]
fn an_event_is_one_line() {
    let bytes = written(&log("two\nlines"));
    assert_eq!(
        String::from_utf8_lossy(&bytes),
        "{\"seq\":7,\"atMs\":1200,\"type\":\"log\",\"step\":\"base\",\"stream\":\"stdout\",\
         \"level\":\"debug\",\"line\":\"two\\nlines\"}\n"
    );
    assert!(
        matches!(line::read::<Event>(&mut Cursor::new(bytes)), Ok(Some(event)) if event == log("two\nlines"))
    );
    assert!(matches!(
        line::read::<Event>(&mut Cursor::new("")),
        Ok(None)
    ));
}

#[test]
fn what_is_no_event_is_refused() {
    let good = String::from_utf8(written(&log("x"))).expect("it is text");
    for text in [
        "\n",
        "rubbish\n",
        "[]\n",
        "{}\n",
        "{\"seq\":1,\"atMs\":1}\n",
        "{\"seq\":-1,\"atMs\":1,\"type\":\"sparkle\"}\n",
        "{\"seq\":1,\"atMs\":1,\"type\":\"step_started\",\"step\":\"a\"}\n",
        "{\"seq\":1,\"atMs\":1,\"type\":\"progress\",\"step\":\"a\",\"done\":1e99,\"total\":null,\"unit\":\"bytes\"}\n",
        "\u{0}\u{0}\u{0}\n",
        // A torn line, as a crash leaves it.
        &good[..good.len() / 2],
    ] {
        let read = line::read::<Event>(&mut Cursor::new(text));
        assert!(
            matches!(read, Err(LineError::NotAnEvent(_))),
            "{text:?}: {read:?}"
        );
    }
}

#[test]
fn a_line_has_at_most_so_many_bytes() {
    let frame = written(&log("")).len();
    let limit = usize::try_from(MAX_LINE).expect("it fits");
    let longest = written(&log(&"x".repeat(limit - frame)));
    assert_eq!(longest.len(), limit);
    assert!(matches!(
        line::read::<Event>(&mut Cursor::new(&longest)),
        Ok(Some(_))
    ));

    let longer = written(&log(&"x".repeat(limit - frame + 1)));
    assert!(matches!(
        line::read::<Event>(&mut Cursor::new(&longer)),
        Err(LineError::TooLong)
    ));

    // A line that never ends must not fill the memory of whoever reads it.
    let mut endless = BufReader::new(std::io::repeat(b'x'));
    assert!(matches!(
        line::read::<Event>(&mut endless),
        Err(LineError::TooLong)
    ));
}

#[test]
fn text_is_made_fit_for_a_line() {
    for (text, want) in [
        ("plain ünïcode", "plain ünïcode"),
        ("a\tb", "a\tb"),
        (
            "\u{1b}[31mred\u{7}\r\n",
            "\u{fffd}[31mred\u{fffd}\u{fffd}\u{fffd}",
        ),
        ("\u{9b}0m", "\u{fffd}0m"),
    ] {
        assert_eq!(line::clean(text), want);
    }
    assert_eq!(line::clean(&"é".repeat(5000)).chars().count(), 4096);
}

#[test]
fn a_build_s_id_can_be_a_folder_s_name() {
    let longest = "a".repeat(96);
    let too_long = "a".repeat(97);
    for (text, fits) in [
        ("20261121-120000-minimal-4f1a", true),
        ("a", true),
        (longest.as_str(), true),
        (too_long.as_str(), false),
        ("", false),
        ("-a", false),
        (".", false),
        ("..", false),
        ("a/b", false),
        ("a.b", false),
        ("A", false),
        ("a b", false),
        ("ä", false),
        ("a\n", false),
        ("a\0", false),
    ] {
        assert_eq!(BuildId::parse(text).is_some(), fits, "{text:?}");
        // Ids on the wire come from another process and become folders' names here.
        let json = serde_json::to_string(text).expect("text is JSON");
        assert_eq!(
            serde_json::from_str::<BuildId>(&json).is_ok(),
            fits,
            "{text:?}"
        );
    }
}

#[test]
fn a_composed_id_has_the_time_the_profile_and_the_tail() {
    for (seconds, profile, tail, want) in [
        (0, "minimal", 0, "19700101-000000-minimal-0000"),
        (
            1_795_262_400,
            "minimal",
            0x4f1a,
            "20261121-120000-minimal-4f1a",
        ),
        (
            951_782_399,
            "My Profile!",
            0xffff,
            "20000228-235959-my-profile-ffff",
        ),
        (951_782_400, "..", 1, "20000229-000000-build-0001"),
        (4_107_542_400, "Ähm", 1, "21000301-000000-hm-0001"),
    ] {
        let id = BuildId::compose(seconds, profile, tail);
        assert_eq!(id.as_str(), want);
        assert_eq!(BuildId::parse(want), Some(id));
    }
    let long = BuildId::compose(u64::MAX, &"x".repeat(500), 0);
    assert!(BuildId::parse(long.as_str()).is_some(), "{long}");
}

#[test]
fn every_code_has_a_name_that_reads_back() {
    for &code in Code::ALL {
        let json = serde_json::to_string(&code).expect("a code is JSON");
        assert_eq!(
            serde_json::from_str::<Code>(&json).expect("it was just written"),
            code
        );
    }
    assert_eq!(
        serde_json::from_str::<Code>("\"too_windy\"").expect("not an error"),
        Code::Other
    );
}
