//! WebKitWebDriver over HTTP: what a person does with mouse and keyboard, and what they see.
//!
//! The protocol is W3C WebDriver (<https://www.w3.org/TR/webdriver2/>); the options are those
//! of WebKitGTK's driver.

use std::{
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use isosmith_tests::bus::Daemon;
use serde_json::{Value, json};

/// The key under which an element's id comes (WebDriver, "web element identifier").
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// What the page does at once takes no longer.
pub const SOON: Duration = Duration::from_secs(20);

/// A window that is driven. It is closed when the value goes.
pub struct Driver {
    agent: ureq::Agent,
    session: String,
    // Ends with the value, and the window with it.
    _daemon: Daemon,
}

impl Driver {
    /// Starts `binary` with `arguments`; `driver` is the command of the driver without
    /// arguments, with the person's environment.
    pub fn start(mut driver: Command, binary: &Path, arguments: &[&str]) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let daemon = Daemon::start(
            driver
                .arg(format!("--port={port}"))
                .arg("--host=127.0.0.1")
                .stdin(Stdio::null()),
        )?;
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build()
            .into();
        let server = format!("http://127.0.0.1:{port}");
        let begun = Instant::now();
        while agent.get(format!("{server}/status")).call().is_err() {
            ensure!(begun.elapsed() < SOON, "WebKitWebDriver does not answer");
            thread::sleep(Duration::from_millis(20));
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "webkitgtk:browserOptions": { "binary": binary, "args": arguments },
        }}});
        let mut driver = Self {
            agent,
            session: format!("{server}/session"),
            _daemon: daemon,
        };
        let answer = driver
            .post("", &wanted)
            .context("the window did not open")?;
        let id = answer["sessionId"].as_str().context("no session")?;
        driver.session = format!("{server}/session/{id}");
        Ok(driver)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.session);
        let text = self
            .agent
            .post(&url)
            .content_type("application/json")
            .send(body.to_string())?
            .body_mut()
            .read_to_string()?;
        read(path, &text)
    }

    /// Runs `script` in the page.
    pub fn script(&self, script: &str) -> Result<Value> {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The element that an XPath expression finds, once it is there.
    fn find(&self, xpath: &str) -> Result<String> {
        let begun = Instant::now();
        loop {
            let found = self.post("/element", &json!({ "using": "xpath", "value": xpath }));
            match found {
                Ok(found) => {
                    let id = found[ELEMENT].as_str().context("no element")?;
                    return Ok(id.to_owned());
                }
                Err(error) if begun.elapsed() > SOON => {
                    return Err(error.context(format!("{xpath}; the page says:\n{}", self.text()?)));
                }
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Presses the button with this label, or whose label begins so.
    pub fn press(&self, label: &str) -> Result<()> {
        let label = quoted(label);
        // By its text, by the words of it that are seen, or by its accessible name.
        let element = self.find(&format!(
            "//button[not(@disabled)][normalize-space(.)={label} \
             or span[contains(@class,'name')][normalize-space(.)={label}] \
             or starts-with(@aria-label,{label})]"
        ))?;
        self.post(&format!("/element/{element}/click"), &json!({}))?;
        Ok(())
    }

    /// Types `text` into the field of the spec at `path`, in the place of what it has.
    pub fn fill(&self, path: &str, text: &str) -> Result<()> {
        let path = quoted(path);
        let element = self.find(&format!(
            "//*[@data-field={path}]//input[@type='text' or not(@type)]"
        ))?;
        self.post(&format!("/element/{element}/clear"), &json!({}))?;
        self.post(
            &format!("/element/{element}/value"),
            &json!({ "text": text }),
        )?;
        Ok(())
    }

    /// All words of the page as they are seen.
    pub fn text(&self) -> Result<String> {
        let text = self.script("return document.body.innerText")?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the page says `words`.
    pub fn await_text(&self, words: &str, limit: Duration) -> Result<()> {
        self.wait(words, limit, || Ok(self.text()?.contains(words)))
    }

    /// Waits until `reached`.
    pub fn wait(
        &self,
        what: &str,
        limit: Duration,
        reached: impl Fn() -> Result<bool>,
    ) -> Result<()> {
        let begun = Instant::now();
        while !reached()? {
            if begun.elapsed() > limit {
                bail!(
                    "not seen within {limit:?}: {what}. The page says:\n{}",
                    self.text()?
                );
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

fn read(path: &str, text: &str) -> Result<Value> {
    let answer: Value = serde_json::from_str(text).with_context(|| text.to_owned())?;
    let value = &answer["value"];
    if let Some(error) = value["error"].as_str() {
        bail!(
            "{path}: {error}: {}",
            value["message"].as_str().unwrap_or_default()
        );
    }
    Ok(value.clone())
}

/// An XPath string.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
