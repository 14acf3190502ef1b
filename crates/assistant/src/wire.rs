//! The two interfaces: what is sent, and what the stream of an answer means. No network here.

mod ollama;
mod openai;

use serde::Serialize;

use crate::settings::Interface;

/// Who says something in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What the model is told to be.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// A request, as both interfaces want it.
#[derive(Debug, Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: &'a [Message],
    stream: bool,
}

impl Interface {
    /// Where a conversation is sent to.
    pub const fn chat_path(self) -> &'static str {
        match self {
            Self::Ollama => "/api/chat",
            Self::OpenAi => "/v1/chat/completions",
        }
    }

    /// Where the server says which models it has; nothing of the person's is sent there.
    pub const fn models_path(self) -> &'static str {
        match self {
            Self::Ollama => "/api/tags",
            Self::OpenAi => "/v1/models",
        }
    }

    /// The body of a request for a streamed answer.
    ///
    /// # Errors
    ///
    /// Never for texts.
    pub fn body(self, model: &str, messages: &[Message]) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&Body {
            model,
            messages,
            stream: true,
        })
    }

    /// Reads one line of an answer, without its line feed.
    pub fn read(self, line: &str) -> Heard {
        match self {
            Self::Ollama => ollama::read(line),
            Self::OpenAi => openai::read(line),
        }
    }

    /// Names of the models in the answer of [`Interface::models_path`].
    pub fn models(self, answer: &[u8]) -> Option<Vec<String>> {
        match self {
            Self::Ollama => ollama::models(answer),
            Self::OpenAi => openai::models(answer),
        }
    }
}

/// What one line of an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Nothing: an empty line, a comment, a thought.
    Nothing,
    /// More of the answer.
    Text(String),
    /// More of the answer, and its end.
    Last {
        /// What still belongs to it.
        text: String,
        /// Whether the model would have had more to say.
        cut_short: bool,
    },
    /// The server gives up.
    Problem(String),
    /// Not what the interface sends.
    Strange,
}

/// What a server says when it refuses: `{"error": "…"}` or `{"error": {"message": "…"}}`.
pub fn problem(answer: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(answer).ok()?;
    let error = value.get("error")?;
    let text = error.as_str().or_else(|| error.get("message")?.as_str())?;
    Some(text.to_owned())
}
