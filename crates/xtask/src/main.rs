//! Set-up, test suites, packages and generated files.

fn main() {}
