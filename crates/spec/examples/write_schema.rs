//! Writes `profiles/schema.json`: `cargo run -p isosmith-spec --example write_schema`.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/schema.json");
    let text = serde_json::to_string_pretty(&isosmith_spec::schema())? + "\n";
    std::fs::write(path, text)?;
    Ok(())
}
