//! Isosmith in a terminal.

fn main() {}
