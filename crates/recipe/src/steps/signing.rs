//! The owner's signature on every kernel of the image.

use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::fs::Tree;
use isosmith_protocol::Level;
use serde_json::{Value, json};

use super::initramfs::kernels;
use crate::{signing::Pen, state::Debian};

/// The date stands in the signature.
pub(crate) fn inputs(state: &Debian) -> Value {
    json!({ "certificate": state.signing_inputs(), "sourceDate": state.source_date() })
}

/// Signs what the loaders of the medium and of an installed system start. Packages' scripts,
/// the profile's scripts and the installer's settings have had their turn.
pub(crate) fn kernels_of_the_image(
    cx: &mut StepCx<'_>,
    state: &mut Debian,
) -> Result<Done, Failure> {
    let Some(pen) = Pen::of(state)? else {
        return Ok(Done::Skipped("the profile names no key".to_owned()));
    };
    let tree = Tree::open(cx.root())?;
    let (plain, signed) = (cx.out().join("plain"), cx.out().join("signed"));
    for version in kernels(&tree)? {
        let path = format!("/boot/vmlinuz-{version}");
        let Some(bytes) = tree.read(&path)? else {
            continue;
        };
        // Copied first: what lies in the tree may be a link, and a sandbox would follow it.
        super::environment::write(&plain, &bytes)?;
        pen.sign(cx, &plain, &signed)?;
        let bytes =
            std::fs::read(&signed).map_err(|error| Failure::io_at("read", &signed, error))?;
        tree.write(&path, &bytes, 0o644)?;
        cx.log(Level::Info, format!("signed {path}"));
    }
    for file in [plain, signed] {
        // Not there without a kernel, which is somebody else's to say.
        let _ = std::fs::remove_file(file);
    }
    Ok(Done::Done)
}
