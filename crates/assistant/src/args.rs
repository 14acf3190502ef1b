//! The command line.

use clap::{Args, Parser, Subcommand};

/// Asks a language model.
///
/// Nothing is sent anywhere before you have agreed to it. Passwords, keys and tokens are cut out
/// of what is sent.
#[derive(Debug, Parser)]
#[command(
    name = "ai",
    version,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  ai how do I find out which process uses port 80\n  journalctl -b -p err | ai explain\n  ai -- explain the word daemon      a question that begins with a command's name"
)]
pub struct Cli {
    /// What to do, when it is not a question.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to ask.
    #[command(flatten)]
    pub how: How,
    /// The question. Everything from its first word on belongs to it.
    #[arg(value_name = "QUESTION", trailing_var_arg = true)]
    pub question: Vec<String>,
}

/// What else there is.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explain text that comes through a pipe, such as a log or an error
    Explain {
        /// How to ask.
        #[command(flatten)]
        how: How,
        /// What to find out about the text.
        #[arg(value_name = "QUESTION", trailing_var_arg = true)]
        question: Vec<String>,
    },
    /// Ask one question after another
    Chat {
        /// How to ask.
        #[command(flatten)]
        how: How,
        /// Wait for Enter at the end, so that a window of its own does not close at once.
        #[arg(long, hide = true)]
        wait: bool,
    },
    /// Choose the server and the model, and agree to asking it
    Setup,
    /// Say which server is asked, and whether it answers
    Status,
    /// Take back every agreement
    Forget,
}

/// Options that belong to asking.
#[derive(Debug, Clone, Default, Args)]
pub struct How {
    /// Send piped text without showing it first
    #[arg(short, long)]
    pub yes: bool,
    /// Show what would be sent, and send nothing
    #[arg(long, conflicts_with = "yes")]
    pub show: bool,
    /// Ask this model instead of the one of the settings
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Cut out addresses of networks and machines as well
    #[arg(long)]
    pub hide_addresses: bool,
    /// Cut out e-mail addresses as well
    #[arg(long)]
    pub hide_mail: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_whole() {
        Cli::command().debug_assert();
    }

    #[test]
    fn words_after_the_first_are_the_question() {
        for (line, question) in [
            ("ai what is a daemon", "what is a daemon"),
            ("ai what does ls -l --yes do", "what does ls -l --yes do"),
            ("ai -- explain the word daemon", "explain the word daemon"),
            ("ai --yes -- -x is what", "-x is what"),
            ("ai how do I chat", "how do I chat"),
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            assert_eq!(cli.question.join(" "), question, "{line}");
            assert!(cli.command.is_none(), "{line}");
        }
        for line in ["ai", "ai --unknown x", "ai setup now", "ai --yes --show x"] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
