//! A server that speaks both interfaces, as far as a test tells it to, and keeps what it hears.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

/// What the server does with the next question.
pub enum Scene {
    /// Answers at once with a status, further header lines, and a body.
    Whole(u16, &'static str, String),
    /// Streams pieces, and ends the stream as HTTP wants it.
    Stream(Vec<Vec<u8>>),
    /// Streams pieces, and waits for a word of the test before each but the first.
    Stepwise(Vec<Vec<u8>>, Receiver<()>),
    /// Streams pieces, and closes the connection without ending the stream.
    Broken(Vec<Vec<u8>>),
}

/// What the server heard.
#[derive(Debug, Clone)]
pub struct Heard {
    pub line: String,
    pub headers: String,
    pub body: String,
}

pub struct Server {
    pub address: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    scenes: Sender<Scene>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (scenes, next) = mpsc::channel::<Scene>();
        let memory = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(request) = read(&stream) else {
                    continue;
                };
                memory.lock().expect("no panic").push(request);
                let Ok(scene) = next.try_recv() else {
                    continue;
                };
                // A client that goes away in the middle is none of the server's business.
                let _ = play(stream, scene);
            }
        });
        Self {
            address,
            heard,
            scenes,
        }
    }

    pub fn plays(&self, scene: Scene) -> &Self {
        self.scenes.send(scene).expect("the server runs");
        self
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("no panic").clone()
    }
}

fn read(stream: &TcpStream) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut headers = String::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        headers.push_str(&header.to_lowercase());
    }
    let length = headers
        .lines()
        .find_map(|header| header.strip_prefix("content-length:"))
        .map_or(0, |value| value.trim().parse().expect("a number"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Heard {
        line: line.trim().to_owned(),
        headers,
        body: String::from_utf8(body).expect("UTF-8"),
    })
}

fn play(mut stream: TcpStream, scene: Scene) -> std::io::Result<()> {
    const STREAM: &[u8] =
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    let (pieces, steps, ends) = match scene {
        Scene::Whole(status, headers, body) => {
            let length = body.len();
            return write!(
                stream,
                "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
        Scene::Stream(pieces) => (pieces, None, true),
        Scene::Stepwise(pieces, steps) => (pieces, Some(steps), true),
        Scene::Broken(pieces) => (pieces, None, false),
    };
    stream.write_all(STREAM)?;
    for (number, piece) in pieces.iter().enumerate() {
        if let Some(steps) = steps.as_ref().filter(|_| number > 0)
            && steps.recv().is_err()
        {
            return Ok(());
        }
        write!(stream, "{:x}\r\n", piece.len())?;
        stream.write_all(piece)?;
        stream.write_all(b"\r\n")?;
        stream.flush()?;
    }
    if ends {
        stream.write_all(b"0\r\n\r\n")?;
    }
    Ok(())
}

/// Lines of Ollama's interface that come to `texts`.
pub fn ollama(texts: &[&str]) -> Vec<Vec<u8>> {
    let line = |text: &str, done: bool| {
        let value = serde_json::json!({
            "model": "m",
            "message": { "role": "assistant", "content": text },
            "done": done,
        });
        format!("{value}\n").into_bytes()
    };
    let pieces = texts.iter().map(|text| line(text, false));
    pieces.chain([line("", true)]).collect()
}

/// Events of OpenAI's interface that come to `texts`.
pub fn openai(texts: &[&str]) -> Vec<Vec<u8>> {
    let event = |text: &str| {
        let value =
            serde_json::json!({ "choices": [{ "index": 0, "delta": { "content": text } }] });
        format!("data: {value}\n\n").into_bytes()
    };
    let pieces = texts.iter().map(|text| event(text));
    pieces.chain([b"data: [DONE]\n\n".to_vec()]).collect()
}
