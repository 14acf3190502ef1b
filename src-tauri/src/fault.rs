//! What a command answers when it cannot do what it was asked for: the protocol's
//! [`ErrorView`](isosmith_protocol::ErrorView).

use std::fmt;

use isosmith_protocol::{Code, line};

pub use isosmith_studio::{Error as Fault, Result as Answer};

/// Lines of what a program has written that the page gets.
const MOST_LINES: usize = 20;

/// A fault of our own.
pub fn internal(why: impl fmt::Display) -> Fault {
    Fault::new(
        Code::Internal,
        "something that cannot happen has happened",
        "This is a fault in Isosmith; please report it.",
    )
    .because(why.to_string())
}

/// The same with the last lines that a program has written.
pub fn after(fault: &Fault, written: &str) -> Fault {
    let mut view = fault.view().clone();
    let lines: Vec<String> = written.lines().map(line::clean).collect();
    view.tail = lines[lines.len().saturating_sub(MOST_LINES)..].to_vec();
    view.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_what_was_written_is_kept() {
        let many: String = (0..50).map(|n| format!("{n}\u{1b}\n")).collect();
        let fault = after(&internal("x"), &many);
        assert_eq!(fault.view().tail.len(), MOST_LINES);
        assert_eq!(
            fault.view().tail.last().map(String::as_str),
            Some("49\u{fffd}")
        );
    }
}
