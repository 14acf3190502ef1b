//! Questions, and the agreement before them.

use std::io;

use crate::{
    args::How,
    consent::{self, Agreements, is_yes},
    failure::{Exit, Failure},
    interrupt::Interrupt,
    question::{self, Piped},
    secrets::{Cut, Knife},
    server::Server,
    settings::{Places, Settings},
    settle,
    terminal::{Terminal, note, print},
    watch_interrupt,
    wire::{Message, Role},
};

/// How much of an earlier conversation is sent again, in bytes.
const MOST_MEMORY: usize = question::MOST_SENT;

/// How many lines of piped text are shown at its beginning and at its end.
const SHOWN: usize = 12;

/// A person, a server, and what was said.
#[derive(Debug)]
pub struct Conversation<'a> {
    settings: Settings,
    places: &'a Places,
    how: &'a How,
    agreements: Agreements,
    terminal: Option<Terminal>,
    knife: Knife,
    interrupt: Interrupt,
    said: Vec<Message>,
}

impl<'a> Conversation<'a> {
    /// Reads the settings; sends nothing.
    ///
    /// # Errors
    ///
    /// When the settings are wrong.
    pub fn begin(places: &'a Places, how: &'a How) -> Result<Self, Failure> {
        let mut settings = settle(places)?;
        if let Some(model) = &how.model {
            settings.model.clone_from(model);
        }
        settings.hidden.addresses |= how.hide_addresses;
        settings.hidden.mail |= how.hide_mail;
        Ok(Self {
            knife: question::knife(settings.hidden)?,
            agreements: Agreements::read(&places.consent),
            settings,
            places,
            how,
            terminal: Terminal::open(),
            interrupt: watch_interrupt()?,
            said: vec![question::introduction()],
        })
    }

    /// One question.
    ///
    /// # Errors
    ///
    /// When it was not agreed to, or not answered.
    pub fn question(mut self, text: &str) -> Result<(), Failure> {
        let cut = question::prepare_question(text, &self.knife)?;
        self.said.push(question::from_person(cut.text.clone()));
        if self.how.show {
            return self.show_all();
        }
        self.agree()?;
        note_cut(&cut);
        self.answer()
    }

    /// A question about standard input.
    ///
    /// # Errors
    ///
    /// When it is no text, was not agreed to, or not answered.
    pub fn explain(mut self, asked: Option<&str>) -> Result<(), Failure> {
        let asked = asked
            .map(|text| question::prepare_question(text, &self.knife))
            .transpose()?;
        let (bytes, missing) = question::read_piped(io::stdin().lock())?;
        let piped = question::prepare_piped(&bytes, missing, &self.knife)?;
        let asked = asked.as_ref().map(|cut| cut.text.as_str());
        self.said.push(question::about_piped(asked, &piped));
        if self.how.show {
            return self.show_all();
        }
        self.agree()?;
        self.agree_to_piped(&piped)?;
        self.answer()
    }

    /// One question after another.
    ///
    /// # Errors
    ///
    /// When there is no terminal, or nobody agrees. A question that fails is only said.
    pub fn chat(mut self) -> Result<(), Failure> {
        if self.terminal.is_none() {
            return Err(Failure::new(
                Exit::Usage,
                "`ai chat` needs a terminal",
                "In a pipe, use `ai QUESTION` or `ai explain`.",
            ));
        }
        self.agree()?;
        self.say(&format!(
            "{} answers. An empty line or Ctrl-D ends, /new begins anew, Ctrl-C stops an answer.\n",
            self.settings.model
        ))?;
        loop {
            let Some(terminal) = &mut self.terminal else {
                return Ok(());
            };
            let text = match terminal.ask("\nai> ")?.as_deref() {
                None | Some("" | "/quit" | "/exit") => return Ok(()),
                Some("/new") => {
                    self.said.truncate(1);
                    self.say("Everything before is forgotten.\n")?;
                    continue;
                }
                Some(text) => text.to_owned(),
            };
            match self.turn(&text) {
                Ok(()) => {}
                Err(failure) if failure.exit == Exit::Interrupted => note("(stopped)"),
                Err(failure) => note(&failure.to_string()),
            }
        }
    }

    fn turn(&mut self, text: &str) -> Result<(), Failure> {
        let cut = question::prepare_question(text, &self.knife)?;
        note_cut(&cut);
        self.said.push(question::from_person(cut.text));
        shorten(&mut self.said);
        // What was not answered is not said again.
        self.answer().inspect_err(|_| {
            self.said.pop();
        })
    }

    fn say(&mut self, text: &str) -> Result<(), Failure> {
        match &mut self.terminal {
            Some(terminal) => terminal.say(text),
            None => Ok(()),
        }
    }

    /// Shows what would be sent.
    fn show_all(&self) -> Result<(), Failure> {
        note(&format!(
            "This would be sent to {}; nothing was.\n",
            self.settings.endpoint
        ));
        self.said
            .iter()
            .try_for_each(|message| print(&format!("{}\n\n", message.content)))
    }

    fn agree(&mut self) -> Result<(), Failure> {
        consent::obtain(
            &self.settings,
            &mut self.agreements,
            &self.places.consent,
            self.terminal.as_mut(),
        )
    }

    /// Shows piped text and asks, unless that was settled before.
    fn agree_to_piped(&mut self, piped: &Piped) -> Result<(), Failure> {
        if piped.missing > 0 {
            note(&format!(
                "The text is long: its first {} bytes are not sent, the end is.",
                piped.missing
            ));
        }
        note_cut(&piped.cut);
        if self.how.yes || self.agreements.allow_piped(&self.settings) {
            return Ok(());
        }
        let Some(terminal) = &mut self.terminal else {
            return Err(Failure::new(
                Exit::NotAgreed,
                "there is no terminal to show the piped text on; nothing was sent",
                "Run it with --yes when you know what is in the text.",
            ));
        };
        terminal.say(&format!(
            "This is sent to {}:\n\n{}\n\n",
            self.settings.endpoint,
            excerpt(&piped.cut.text, SHOWN)
        ))?;
        loop {
            let answer = terminal.ask("Send it? [y]es, [N]o, [v]iew all of it, [a]lways: ")?;
            match answer.as_deref().map(str::to_lowercase).as_deref() {
                Some("v" | "view") => terminal.say(&format!("\n{}\n\n", piped.cut.text))?,
                Some("a" | "always") => {
                    return self
                        .agreements
                        .remember(&self.settings, true, &self.places.consent);
                }
                answer if is_yes(answer) => return Ok(()),
                Some(_) | None => {
                    return Err(Failure::new(
                        Exit::NotAgreed,
                        "you have not agreed; nothing was sent",
                        "",
                    ));
                }
            }
        }
    }

    /// Sends what was said and prints what comes back.
    fn answer(&mut self) -> Result<(), Failure> {
        let busy = self.interrupt.busy();
        let mut shown = false;
        let mut at_start = true;
        let result = Server::new(&self.settings).ask(&self.said, &self.interrupt, &mut |piece| {
            if piece.is_empty() {
                return Ok(());
            }
            (shown, at_start) = (true, piece.ends_with('\n'));
            print(piece)
        });
        drop(busy);
        if shown && !at_start {
            print("\n")?;
        }
        let answer = result?;
        if !shown {
            note("The model has said nothing.");
        }
        if answer.cut_short {
            note("The model would have had more to say; ask it to go on.");
        }
        self.said.push(Message {
            role: Role::Assistant,
            content: answer.text,
        });
        Ok(())
    }
}

fn note_cut(cut: &Cut) {
    if let Some(summary) = cut.summary() {
        note(&format!("Cut out before sending: {summary}."));
    }
}

/// Forgets the oldest turns of a conversation that has become too long; the introduction and
/// the question at the end stay.
fn shorten(said: &mut Vec<Message>) {
    let length = |said: &[Message]| said.iter().map(|one| one.content.len()).sum::<usize>();
    while said.len() > 2 && length(said) > MOST_MEMORY {
        said.remove(1);
    }
    // Some servers want a person to begin.
    while said.len() > 2 && said[1].role == Role::Assistant {
        said.remove(1);
    }
}

/// The beginning and the end of a text.
fn excerpt(text: &str, shown: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let Some(hidden) = lines.len().checked_sub(2 * shown).filter(|&left| left > 1) else {
        return text.to_owned();
    };
    format!(
        "{}\n[… {hidden} more lines]\n{}",
        lines[..shown].join("\n"),
        lines[lines.len() - shown..].join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(role: Role, content: &str) -> Message {
        Message {
            role,
            content: content.to_owned(),
        }
    }

    #[test]
    fn a_long_conversation_forgets_its_beginning() {
        let long = "x".repeat(MOST_MEMORY / 3);
        let mut said = vec![message(Role::System, "be")];
        for _ in 0..5 {
            said.push(message(Role::User, &long));
            said.push(message(Role::Assistant, &long));
        }
        said.push(message(Role::User, "and now?"));
        shorten(&mut said);
        let roles: Vec<Role> = said.iter().map(|one| one.role).collect();
        assert_eq!(
            roles,
            [Role::System, Role::User, Role::Assistant, Role::User]
        );
        assert_eq!(said[3].content, "and now?");
        let mut short = said[..2].to_vec();
        shorten(&mut short);
        assert_eq!(short.len(), 2);
    }

    #[test]
    fn a_long_text_is_shown_from_both_ends() {
        assert_eq!(excerpt("1\n2\n3\n4\n5", 1), "1\n[… 3 more lines]\n5");
        assert_eq!(excerpt("1\n2\n3", 1), "1\n2\n3");
        assert_eq!(excerpt("1", 2), "1");
    }
}
