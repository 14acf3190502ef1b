//! Checks that the page is there, and lets Tauri read its configuration.
#![allow(
    clippy::print_stderr,
    reason = "cargo shows what a failed build script has written"
)]

use std::{path::Path, process::exit};

fn main() {
    println!("cargo::rerun-if-changed=../ui/dist");
    if !Path::new("../ui/dist/index.html").is_file() {
        eprintln!(
            "The window's page is not built: there is no ui/dist/index.html.\n\
             Build it first:  cd ui && npm ci && npm run build"
        );
        exit(1);
    }
    tauri_build::build();
}
