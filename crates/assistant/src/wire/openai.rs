//! OpenAI's interface: server-sent events (WHATWG HTML, 9.2.5) with a JSON object each, up to
//! `[DONE]` (OpenAI API reference, "Chat completion chunk"). Every such event is one line.

use serde::Deserialize;

use super::{Heard, problem};

#[derive(Debug, Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    /// In a stream.
    #[serde(default)]
    delta: Option<Said>,
    /// In an answer at once, by servers that do not stream.
    #[serde(default)]
    message: Option<Said>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Said {
    #[serde(default)]
    content: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Models {
    data: Vec<Model>,
}

#[derive(Debug, Deserialize)]
struct Model {
    id: String,
}

/// See [`super::Interface::read`].
pub(super) fn read(line: &str) -> Heard {
    let data = match line.split_once(':') {
        _ if line.trim().is_empty() => return Heard::Nothing,
        // A comment, by which servers keep a connection open, or a field that says nothing.
        Some(("" | "event" | "id" | "retry", _)) => return Heard::Nothing,
        Some(("data", data)) => data.trim(),
        Some(_) | None => line.trim(),
    };
    if data == "[DONE]" {
        return Heard::Last {
            text: String::new(),
            cut_short: false,
        };
    }
    if let Some(problem) = problem(data.as_bytes()) {
        return Heard::Problem(problem);
    }
    let Ok(chunk) = serde_json::from_str::<Chunk>(data) else {
        return Heard::Strange;
    };
    // The last chunk may be about the cost alone.
    let Some(choice) = chunk.choices.into_iter().next() else {
        return Heard::Nothing;
    };
    let whole = choice.message.is_some();
    let text = choice
        .delta
        .or(choice.message)
        .and_then(|said| said.content)
        .unwrap_or_default();
    match choice.finish_reason {
        None if whole => Heard::Last {
            text,
            cut_short: false,
        },
        None if text.is_empty() => Heard::Nothing,
        None => Heard::Text(text),
        Some(reason) => Heard::Last {
            text,
            cut_short: reason == "length",
        },
    }
}

/// See [`super::Interface::models`].
pub(super) fn models(answer: &[u8]) -> Option<Vec<String>> {
    let models: Models = serde_json::from_slice(answer).ok()?;
    Some(models.data.into_iter().map(|model| model.id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        let last = |text: &str, cut_short| Heard::Last {
            text: text.into(),
            cut_short,
        };
        for (line, heard) in [
            ("", Heard::Nothing),
            (": keep-alive", Heard::Nothing),
            ("event: message", Heard::Nothing),
            (
                r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
                Heard::Nothing,
            ),
            (
                r#"data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":null}]}"#,
                Heard::Text("Hi".into()),
            ),
            (
                r#"data:{"choices":[{"delta":{"content":"Hi"}}]}"#,
                Heard::Text("Hi".into()),
            ),
            (
                r#"data: {"choices":[{"delta":{"content":null}}]}"#,
                Heard::Nothing,
            ),
            (
                r#"data: {"choices":[],"usage":{"total_tokens":3}}"#,
                Heard::Nothing,
            ),
            (
                r#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
                last("", false),
            ),
            (
                r#"data: {"choices":[{"delta":{},"finish_reason":"length"}]}"#,
                last("", true),
            ),
            ("data: [DONE]", last("", false)),
            (
                r#"{"choices":[{"message":{"content":"All"},"finish_reason":"stop"}]}"#,
                last("All", false),
            ),
            (
                r#"data: {"error":{"message":"overloaded","type":"x"}}"#,
                Heard::Problem("overloaded".into()),
            ),
            ("<html>", Heard::Strange),
            ("data: x", Heard::Strange),
        ] {
            assert_eq!(read(line), heard, "{line}");
        }
    }

    #[test]
    fn models_are_listed() {
        let answer = br#"{"object":"list","data":[{"id":"gpt","object":"model"}]}"#;
        assert_eq!(models(answer), Some(vec!["gpt".into()]));
        assert_eq!(models(b"{}"), None);
    }
}
