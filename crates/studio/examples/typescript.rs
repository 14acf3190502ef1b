//! Prints the page's types as JSON, paths to texts: `cargo xtask generate` writes them.

#![expect(
    clippy::print_stdout,
    reason = "an example talks to the program that runs it"
)]

use std::{collections::BTreeMap, error::Error};

fn main() -> Result<(), Box<dyn Error>> {
    let files: BTreeMap<_, _> = isosmith_studio::typescript::files().into_iter().collect();
    println!("{}", serde_json::to_string(&files)?);
    Ok(())
}
