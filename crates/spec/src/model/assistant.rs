//! The AI helper of the finished system.

use crate::names::Uri;

/// Which HTTP interface a language model's server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModelInterface {
    /// Ollama's own (`/api/chat`).
    Ollama,
    /// OpenAI's (`/v1/chat/completions`), which many servers speak.
    OpenAi,
}

/// The command `ai` with its desktop entry, and whom it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assistant {
    /// Which interface the server has.
    pub interface: ModelInterface,
    /// The server's base address, such as `http://127.0.0.1:11434`.
    pub endpoint: Uri,
    /// The model's name at that server, such as `llama3.2`.
    pub model: String,
}
