//! Ollama's own interface: JSON objects, one a line (docs/api.md of ollama/ollama, "Generate a
//! chat completion").

use serde::Deserialize;

use super::Heard;

#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    message: Option<Said>,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    done_reason: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Said {
    #[serde(default)]
    content: String,
}

#[derive(Debug, Deserialize)]
struct Tags {
    models: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
struct Tag {
    name: String,
}

/// See [`super::Interface::read`].
pub(super) fn read(line: &str) -> Heard {
    if line.trim().is_empty() {
        return Heard::Nothing;
    }
    let Ok(line) = serde_json::from_str::<Line>(line) else {
        return Heard::Strange;
    };
    if let Some(problem) = line.error {
        return Heard::Problem(problem);
    }
    let text = line.message.map(|said| said.content);
    match (text, line.done) {
        (text, true) => Heard::Last {
            text: text.unwrap_or_default(),
            cut_short: line.done_reason.as_deref() == Some("length"),
        },
        (Some(text), false) if text.is_empty() => Heard::Nothing,
        (Some(text), false) => Heard::Text(text),
        (None, false) => Heard::Strange,
    }
}

/// See [`super::Interface::models`].
pub(super) fn models(answer: &[u8]) -> Option<Vec<String>> {
    let tags: Tags = serde_json::from_slice(answer).ok()?;
    Some(tags.models.into_iter().map(|tag| tag.name).collect())
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
            (
                r#"{"model":"m","message":{"role":"assistant","content":"Hi"},"done":false}"#,
                Heard::Text("Hi".into()),
            ),
            (
                r#"{"message":{"role":"assistant","content":"","thinking":"hm"},"done":false}"#,
                Heard::Nothing,
            ),
            (
                r#"{"message":{"content":""},"done":true,"done_reason":"stop","eval_count":5}"#,
                last("", false),
            ),
            (r#"{"done":true,"done_reason":"length"}"#, last("", true)),
            (
                r#"{"error":"model runner has stopped"}"#,
                Heard::Problem("model runner has stopped".into()),
            ),
            ("<html>", Heard::Strange),
            ("{}", Heard::Strange),
            ("[]", Heard::Strange),
        ] {
            assert_eq!(read(line), heard, "{line}");
        }
    }

    #[test]
    fn models_are_listed() {
        let answer = br#"{"models":[{"name":"llama3.2:latest","size":1},{"name":"x"}]}"#;
        assert_eq!(
            models(answer),
            Some(vec!["llama3.2:latest".into(), "x".into()])
        );
        assert_eq!(models(b"<html>"), None);
    }
}
