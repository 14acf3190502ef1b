//! The conversation with a server: one request, and its answer piece by piece.

use std::{
    io::Read,
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    thread,
    time::{Duration, Instant},
};

use ureq::{
    Agent,
    http::StatusCode,
    tls::{RootCerts, TlsConfig},
};

use crate::{
    clean::{Cleaner, one_line},
    endpoint::Place,
    failure::{Exit, Failure},
    interrupt::Interrupt,
    settings::{KEY_VARIABLE, Settings},
    wire::{self, Heard, Message},
};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a server may be silent: a large model on a small machine reads a long log for
/// minutes before the first word.
const SILENCE: Duration = Duration::from_secs(600);

/// The longest line of a stream, in bytes.
const MOST_LINE: usize = 1 << 20;

/// The longest answer, in bytes; nobody reads more.
const MOST_ANSWER: usize = 1 << 20;

/// The longest list of models or explanation of an error, in bytes.
const MOST_SMALL: u64 = 1 << 20;

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// All of it, as it was shown.
    pub text: String,
    /// Whether the model would have had more to say.
    pub cut_short: bool,
}

/// What the thread at the network says.
enum Sent {
    Bytes(Vec<u8>),
    End,
    Failed(Failure),
}

/// A server that the person has agreed to.
#[derive(Debug)]
pub struct Server<'a> {
    settings: &'a Settings,
    agent: Agent,
}

impl<'a> Server<'a> {
    /// The one of the settings; nothing is sent yet.
    pub fn new(settings: &'a Settings) -> Self {
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(SILENCE))
            // The person has agreed to this server and to no other.
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("isosmith-ai-helper/", env!("CARGO_PKG_VERSION")))
            .tls_config(
                TlsConfig::builder()
                    .root_certs(RootCerts::PlatformVerifier)
                    .build(),
            );
        // What stays on this machine goes through no proxy.
        let config = match settings.endpoint.place() {
            Place::Here => config.proxy(None),
            Place::Nearby | Place::Away => config,
        };
        Self {
            settings,
            agent: Agent::new_with_config(config.build()),
        }
    }

    /// Sends a conversation and hands each piece of the answer to `show`, clean.
    ///
    /// # Errors
    ///
    /// Whatever goes wrong on the way, at the server, and with its answer; what was shown until
    /// then stays shown.
    pub fn ask(
        &self,
        messages: &[Message],
        interrupt: &Interrupt,
        show: &mut dyn FnMut(&str) -> Result<(), Failure>,
    ) -> Result<Answer, Failure> {
        let body = self
            .settings
            .interface
            .body(&self.settings.model, messages)
            .map_err(|error| Failure::new(Exit::Failed, error.to_string(), ""))?;
        let url = self
            .settings
            .endpoint
            .join(self.settings.interface.chat_path());
        let mut request = self
            .agent
            .post(&url)
            .header("content-type", "application/json")
            .header(
                "accept",
                "application/x-ndjson, text/event-stream, application/json",
            );
        if let Some(key) = &self.settings.key {
            request = request.header("authorization", format!("Bearer {}", key.reveal()));
        }
        // A thread, because a blocking read sees neither Ctrl-C nor the clock. It ends with the
        // process, or when nobody listens any more.
        let (sender, receiver) = mpsc::sync_channel(8);
        let settings = self.settings.clone();
        thread::spawn(move || {
            let answer = request.send(&body[..]);
            let said = match answer {
                Ok(response) => pass_on(&settings, response, &sender),
                Err(error) => Err(explain(&settings, &error)),
            };
            let last = said.map_or_else(Sent::Failed, |()| Sent::End);
            // Nobody may be listening any more.
            let _ = sender.send(last);
        });
        self.listen(&receiver, interrupt, show)
    }

    fn listen(
        &self,
        receiver: &Receiver<Sent>,
        interrupt: &Interrupt,
        show: &mut dyn FnMut(&str) -> Result<(), Failure>,
    ) -> Result<Answer, Failure> {
        let mut lines = Lines::default();
        let mut cleaner = Cleaner::default();
        let mut answer = Answer {
            text: String::new(),
            cut_short: false,
        };
        let mut heard_at = Instant::now();
        loop {
            let ended = match receiver.recv_timeout(Duration::from_millis(100)) {
                Ok(Sent::Bytes(bytes)) => {
                    lines.add(&bytes)?;
                    heard_at = Instant::now();
                    false
                }
                Ok(Sent::End) => true,
                Ok(Sent::Failed(failure)) => return Err(failure),
                Err(RecvTimeoutError::Timeout) if interrupt.happened() => {
                    return Err(Failure::new(Exit::Interrupted, "stopped", ""));
                }
                Err(RecvTimeoutError::Timeout) if heard_at.elapsed() > SILENCE => {
                    return Err(Failure::new(
                        Exit::Broken,
                        format!(
                            "{} has said nothing for ten minutes",
                            self.settings.endpoint
                        ),
                        "Look at the server, or ask a smaller model.",
                    ));
                }
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            if interrupt.happened() {
                return Err(Failure::new(Exit::Interrupted, "stopped", ""));
            }
            while let Some(line) = lines.next(ended) {
                let (text, last) = match self.settings.interface.read(&line) {
                    Heard::Nothing => continue,
                    Heard::Text(text) => (text, None),
                    Heard::Last { text, cut_short } => (text, Some(cut_short)),
                    Heard::Problem(problem) => {
                        return Err(Failure::new(
                            Exit::Broken,
                            format!("the server has given up: {}", one_line(&problem, 300)),
                            "Ask again; if it stays so, look at the server's own log.",
                        ));
                    }
                    Heard::Strange => return Err(self.strange(&line)),
                };
                let clean = cleaner.clean(&text);
                show(&clean)?;
                answer.text.push_str(&clean);
                if answer.text.len() > MOST_ANSWER {
                    return Err(Failure::new(
                        Exit::Broken,
                        "the answer does not end; it was stopped after a million letters",
                        "Ask again, or ask another model.",
                    ));
                }
                if let Some(cut_short) = last {
                    answer.cut_short = cut_short;
                    return Ok(answer);
                }
            }
            if ended {
                return Err(Failure::new(
                    Exit::Broken,
                    "the answer broke off: the server has closed the connection",
                    "Ask again; if it stays so, look at the server's own log.",
                ));
            }
        }
    }

    fn strange(&self, line: &str) -> Failure {
        Failure::new(
            Exit::Broken,
            format!(
                "{} sends what is no answer: {}",
                self.settings.endpoint,
                one_line(line, 80)
            ),
            format!(
                "Is there a server with the {} interface? `ai setup` chooses another.",
                self.settings.interface.title()
            ),
        )
    }

    /// Asks which models there are. Sends nothing but the request itself, and the key.
    ///
    /// # Errors
    ///
    /// As [`Server::ask`].
    pub fn models(&self) -> Result<Vec<String>, Failure> {
        let url = self
            .settings
            .endpoint
            .join(self.settings.interface.models_path());
        let mut request = self
            .agent
            .get(&url)
            .config()
            .timeout_global(Some(Duration::from_secs(20)))
            .build();
        if let Some(key) = &self.settings.key {
            request = request.header("authorization", format!("Bearer {}", key.reveal()));
        }
        let response = request
            .call()
            .map_err(|error| explain(self.settings, &error))?;
        let response = accept(self.settings, response)?;
        let mut bytes = Vec::new();
        response
            .into_body()
            .into_reader()
            .take(MOST_SMALL)
            .read_to_end(&mut bytes)
            .map_err(|error| broken(&error))?;
        let models = self
            .settings
            .interface
            .models(&bytes)
            .ok_or_else(|| self.strange(&String::from_utf8_lossy(&bytes)))?;
        Ok(models.iter().map(|name| one_line(name, 100)).collect())
    }
}

/// Passes an answer on as it arrives.
fn pass_on(
    settings: &Settings,
    response: ureq::http::Response<ureq::Body>,
    sender: &SyncSender<Sent>,
) -> Result<(), Failure> {
    let mut reader = accept(settings, response)?.into_body().into_reader();
    let mut buffer = vec![0; 16 << 10];
    loop {
        let count = reader.read(&mut buffer).map_err(|error| broken(&error))?;
        if count == 0 || sender.send(Sent::Bytes(buffer[..count].to_vec())).is_err() {
            return Ok(());
        }
    }
}

fn broken(error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Broken,
        format!("the answer broke off: {error}"),
        "Ask again; if it stays so, look at the network and at the server's own log.",
    )
}

/// Bytes of a stream on their way to lines.
#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
}

impl Lines {
    fn add(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() <= MOST_LINE {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Broken,
            "the server sends a line without an end",
            "Look at the server, or choose another with `ai setup`.",
        ))
    }

    /// The next whole line; once the stream has `ended`, what is left is one too.
    fn next(&mut self, ended: bool) -> Option<String> {
        let end = self.bytes.iter().position(|&byte| byte == b'\n');
        let line: Vec<u8> = match end {
            Some(end) => self.bytes.drain(..=end).collect(),
            None if ended && !self.bytes.is_empty() => self.bytes.drain(..).collect(),
            None => return None,
        };
        // What is not UTF-8 is shown as such, and does not take the rest with it.
        let text = String::from_utf8_lossy(&line);
        Some(text.trim_end_matches(['\n', '\r']).to_owned())
    }
}

/// Goes on with an answer that is one.
fn accept(
    settings: &Settings,
    response: ureq::http::Response<ureq::Body>,
) -> Result<ureq::http::Response<ureq::Body>, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let header = |name: &str| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(one_line(value, 200))
    };
    let (location, after) = (header("location"), header("retry-after"));
    let mut bytes = Vec::new();
    // What it says besides is only for the message.
    let _ = response
        .into_body()
        .into_reader()
        .take(MOST_SMALL)
        .read_to_end(&mut bytes);
    let said = wire::problem(&bytes).unwrap_or_default();
    Err(refusal(
        settings,
        status,
        &one_line(&said, 300),
        location,
        after,
    ))
}

/// What a status that is no success means to the person.
fn refusal(
    settings: &Settings,
    status: StatusCode,
    said: &str,
    location: Option<String>,
    after: Option<String>,
) -> Failure {
    use crate::settings::Interface;

    let (endpoint, model) = (&settings.endpoint, &settings.model);
    let said = if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    };
    let refused = |message: String, advice: String| Failure::new(Exit::Refused, message, advice);
    match (status.as_u16(), settings.interface) {
        (300..=399, _) => refused(
            format!(
                "{endpoint} sends elsewhere, to {}; nothing was sent there",
                location.unwrap_or_else(|| "an address that it does not name".to_owned())
            ),
            "If that is right, choose that address with `ai setup`.".to_owned(),
        ),
        (401 | 403, _) => refused(
            format!(
                "{endpoint} wants {} key{said}",
                if settings.key.is_some() {
                    "another"
                } else {
                    "a"
                }
            ),
            format!("Run `ai setup` and give the key there, or set the variable {KEY_VARIABLE}."),
        ),
        (404, Interface::Ollama) if said.contains("model") => refused(
            format!("the server has no model {model}"),
            format!(
                "On the machine with the server, run: ollama pull {model}\n`ai setup` chooses another model."
            ),
        ),
        (404, Interface::OpenAi) if said.contains("model") => refused(
            format!("the server has no model {model}{said}"),
            "Run `ai setup` and choose another model.".to_owned(),
        ),
        (404 | 405, interface) => refused(
            format!("{endpoint} has no {} interface{said}", interface.title()),
            "Run `ai setup` and choose the other interface, or correct the address.".to_owned(),
        ),
        (413, _) => refused(
            format!("that is too much text for {endpoint}{said}"),
            "Send less, such as the last lines only: … | tail -n 50 | ai explain".to_owned(),
        ),
        (429, _) => refused(
            format!("{endpoint} has had too many questions, or the account is used up{said}"),
            match after {
                Some(after) if after.bytes().all(|byte| byte.is_ascii_digit()) => {
                    format!("Ask again in {after} seconds.")
                }
                Some(_) | None => "Wait a little and ask again.".to_owned(),
            },
        ),
        (500..=599, _) => refused(
            format!(
                "{endpoint} has a fault of its own ({}){said}",
                status.as_u16()
            ),
            "Ask again later; if it is your server, look at its log.".to_owned(),
        ),
        (status, _) => refused(
            format!("{endpoint} refuses the question ({status}){said}"),
            "Run `ai status`, and compare the settings with what the server wants.".to_owned(),
        ),
    }
}

/// What a failure on the way means to the person.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library adds kinds, and all of them are before an answer"
)]
fn explain(settings: &Settings, error: &ureq::Error) -> Failure {
    let endpoint = &settings.endpoint;
    let start = match (settings.endpoint.place(), settings.interface) {
        (Place::Here, crate::settings::Interface::Ollama) => {
            "Is it running? Try: systemctl status ollama, or start it with `ollama serve`."
        }
        (Place::Here, crate::settings::Interface::OpenAi) => "Is the server running?",
        (Place::Nearby | Place::Away, _) => {
            "Is this machine connected to the network, and is the server running?"
        }
    };
    let advice = format!("{start}\n`ai setup` chooses another server.");
    match error {
        ureq::Error::HostNotFound => Failure::new(
            Exit::Unreachable,
            format!("the name in {endpoint} is not known; this machine may be offline"),
            advice,
        ),
        ureq::Error::Timeout(_) => Failure::new(
            Exit::Unreachable,
            format!("{endpoint} does not answer in time"),
            advice,
        ),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Failure::new(
            Exit::Unreachable,
            format!("there is no trustworthy connection to {endpoint}: {error}"),
            "Look at the date of this machine and at the server's certificate. Nothing was sent.",
        ),
        error => Failure::new(
            Exit::Unreachable,
            format!(
                "{endpoint} does not answer: {}",
                one_line(&error.to_string(), 200)
            ),
            advice,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_becomes_lines_however_it_is_cut() {
        let stream = "eins\r\nzwei ä\n\ndrei".as_bytes();
        for size in 1..stream.len() {
            let mut lines = Lines::default();
            let mut got = Vec::new();
            for piece in stream.chunks(size) {
                lines.add(piece).expect("short");
                got.extend(std::iter::from_fn(|| lines.next(false)));
            }
            got.extend(std::iter::from_fn(|| lines.next(true)));
            assert_eq!(got, ["eins", "zwei ä", "", "drei"], "in pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut lines = Lines::default();
        let piece = vec![b'x'; MOST_LINE];
        assert!(lines.add(&piece).is_ok());
        assert!(lines.add(&piece).is_err());
    }
}
