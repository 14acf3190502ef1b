//! From a spec to a bootable ISO. The only crate that knows apt, live-boot and GRUB.
//!
//! [`recipe`] is the table of steps: the plan, the order, the shares of progress and the
//! documentation at once. Read it first; each row's functions are in [`steps`](self), a file
//! per subject.
//!
//! **Invariant:** nothing here spawns a process or mounts; it hands
//! [`Cmd`](isosmith_host::Cmd)s to the engine. Trees that packages have written are only
//! touched through [`Tree`](isosmith_host::fs::Tree), which cannot leave them.

mod apt;
pub mod assistant;
mod brand;
mod cpio;
mod date;
mod debian_installer;
mod desktop;
pub mod fetch;
mod installer;
pub mod materials;
mod menu;
pub mod mirrors;
mod preseed;
mod rehearsal;
mod security;
mod signing;
mod sources;
pub mod state;
mod steps;
mod strength;
#[cfg(test)]
mod tests;
mod tree_file;
mod udebs;
pub mod web;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use isosmith_engine::{
    Failure, Recipe, StepDef, Work,
    step::{self, Kind},
};
use isosmith_protocol::{Phase, StepId};
use isosmith_spec::model::{BuildSpec, ScriptPoint};

pub use brand::{brand_warnings, check_picture};
pub use isosmith_catalogue::wanted::needed_but_excluded;
pub use materials::{Materials, find_problems, take_apart};
pub use mirrors::{Machine, Mirrors};
pub use rehearsal::rehearse;
pub use signing::{CERTIFICATE, check_signing, odd_dates};
pub use state::{Debian, Order, Previous, SquashfsWriter};

use steps::{
    accounts, boot, branding, clean, customise, desktop as desktop_step, environment, initramfs,
    installer as installer_step, iso, packages, pool, region, security as security_step, services,
    signing as signing_step, squashfs, users,
};

pub(crate) const INDEX: StepId = StepId::new("index");
pub(crate) const BASE: StepId = StepId::new("base");
pub(crate) const PACKAGES: StepId = StepId::new("packages");
pub(crate) const BOOT_FILES: StepId = StepId::new("boot-files");
pub(crate) const SQUASHFS: StepId = StepId::new("squashfs");
pub(crate) const TOOLS: StepId = StepId::new("tools");
pub(crate) const POOL: StepId = StepId::new("pool");
const CLEAN: StepId = StepId::new("clean");

/// Under this name a build remembers what its ISO was made of; see [`Previous::key`].
pub const CONTENTS_KEY: &str = "contents-key";

/// Where a build leaves its ISO and what goes beside it, until they are delivered.
pub fn output_folder(work: &Work) -> PathBuf {
    work.build().join("out")
}

/// Every step, in the order in which they run.
pub fn recipe(spec: &BuildSpec) -> Recipe<Debian> {
    use Kind::{Always, Artifact, Layer};
    use Phase::{BaseSystem, Desktop, Environment, Installer, Integration, Iso};

    let initramfs = row("initramfs", "Make the initramfs", Integration, 10, Layer)
        .version(2)
        .inputs(initramfs::inputs)
        .run(initramfs::make);
    let before_image = row(
        "before-image",
        "Run the scripts for before the image",
        Integration,
        1,
        Layer,
    )
    .optional()
    .inputs(customise::before_image_inputs)
    .run(customise::before_image);

    let mut rows = vec![
        row("preflight", "Check the machine", Environment, 1, Always).run(environment::preflight),
        row("tools", "Make the tools", Environment, 30, Artifact)
            .inputs(environment::tools_inputs)
            .run(environment::make_tools),
        row("mirrors", "Ask the mirrors", Environment, 1, Always).run(environment::look_at_mirrors),
        row(
            "index",
            "Download the package lists",
            Environment,
            3,
            Artifact,
        )
        .inputs(environment::index_inputs)
        .run(environment::make_index),
        row("resolve", "Choose the packages", BaseSystem, 2, Artifact)
            .after(const { &[INDEX] })
            .inputs(packages::resolve_inputs)
            .run(packages::resolve)
            .recall(packages::recall),
        row("fetch", "Download the packages", BaseSystem, 10, Always).run(packages::fetch),
        row(
            "base",
            "Unpack and configure the base system",
            BaseSystem,
            8,
            Layer,
        )
        .inputs(packages::base_inputs)
        .run(packages::base),
        row(
            "after-base",
            "Run the scripts for after the base system",
            BaseSystem,
            1,
            Layer,
        )
        .optional()
        .inputs(customise::after_base_inputs)
        .run(customise::after_base),
        row("packages", "Install the software", Desktop, 25, Layer)
            .version(2)
            .inputs(packages::packages_inputs)
            .run(packages::packages),
        row(
            "after-packages",
            "Run the scripts for after the software",
            Desktop,
            1,
            Layer,
        )
        .optional()
        .inputs(customise::after_packages_inputs)
        .run(customise::after_packages),
        row(
            "region",
            "Set language, keyboard and time zone",
            Integration,
            2,
            Layer,
        )
        .inputs(region::inputs)
        .run(region::configure),
        row("users", "Set up users", Integration, 1, Layer)
            .version(2)
            .inputs(users::inputs)
            .run(users::configure),
        row("ai-helper", "Add the AI helper", Integration, 1, Layer)
            .inputs(steps::assistant::inputs)
            .run(steps::assistant::install),
        row("desktop", "Set up the desktop", Integration, 1, Layer)
            .inputs(desktop_step::inputs)
            .run(desktop_step::configure),
        row("security", "Protect the system", Integration, 1, Layer)
            .inputs(security_step::inputs)
            .run(security_step::configure),
        row("files", "Lay files over the tree", Integration, 1, Layer)
            .inputs(customise::files_inputs)
            .run(customise::files),
        row("homes", "Make home folders", Integration, 1, Layer)
            .inputs(accounts::homes_inputs)
            .run(accounts::homes),
        row("services", "Switch services", Integration, 1, Layer)
            .optional()
            .inputs(services::inputs)
            .run(services::switch),
        row("splash", "Choose the boot splash", Integration, 1, Layer)
            .inputs(branding::splash_inputs)
            .run(branding::splash),
    ];
    let brand = row(
        "branding",
        "Write the product's names and looks",
        Integration,
        2,
        Layer,
    )
    .version(2)
    .inputs(branding::inputs)
    .run(branding::write_brand);
    // Scripts that run last may change what the initramfs holds; without them it is made
    // before the brand is written, so that a new brand does not make it anew.
    let scripts_last = spec
        .scripts
        .iter()
        .any(|script| script.point == ScriptPoint::BeforeImage);
    rows.extend(if scripts_last {
        [brand, before_image, initramfs]
    } else {
        [initramfs, brand, before_image]
    });
    if spec.installer.calamares {
        rows.push(
            row("installer", "Set up the installer", Installer, 1, Layer)
                .inputs(installer_step::inputs)
                .run(installer_step::configure),
        );
    }
    if spec.installer.any() {
        rows.push(
            row(
                "pool",
                "Put packages for installed systems onto the medium",
                Installer,
                1,
                Artifact,
            )
            .after(const { &[TOOLS] })
            .inputs(pool::inputs)
            .run(pool::make),
        );
    }
    if spec.security.signing.is_some() {
        rows.push(
            row("sign", "Sign the kernels", Iso, 1, Layer)
                .inputs(signing_step::inputs)
                .run(signing_step::kernels_of_the_image),
        );
    }
    rows.extend([
        row("clean", "Clean the tree", Iso, 1, Layer)
            .inputs(clean::inputs)
            .run(clean::clean),
        row("squashfs", "Pack the tree", Iso, 40, Artifact)
            .after(const { &[CLEAN] })
            .inputs(squashfs::inputs)
            .run(squashfs::pack),
        row(
            "boot-files",
            "Lay out the medium with its boot menus",
            Iso,
            2,
            Artifact,
        )
        .after(const { &[CLEAN, TOOLS] })
        .inputs(boot::inputs)
        .run(boot::make),
        row("iso", "Write the ISO", Iso, 3, Always).run(iso::write),
        row("verify", "Read the ISO back", Iso, 1, Always).run(iso::verify),
    ]);
    Recipe {
        steps: rows.into_iter().map(|row| row.0).collect(),
        seal: clamp_times,
    }
}

/// A row of the table, being written.
struct Row(StepDef<Debian>);

fn row(id: &'static str, title: &'static str, phase: Phase, weight: u32, kind: Kind) -> Row {
    Row(StepDef {
        id: StepId::new(id),
        title,
        phase,
        weight,
        version: 1,
        kind,
        after: &[],
        optional: false,
        inputs: |_| serde_json::Value::Null,
        run: |_, _| Ok(step::Done::Done),
        recall: step::nothing,
    })
}

impl Row {
    /// Another one whenever the same inputs come to another result.
    fn version(mut self, version: u32) -> Self {
        self.0.version = version;
        self
    }

    fn inputs(mut self, inputs: fn(&Debian) -> serde_json::Value) -> Self {
        self.0.inputs = inputs;
        self
    }

    fn run(
        mut self,
        run: fn(&mut isosmith_engine::StepCx<'_>, &mut Debian) -> Result<step::Done, Failure>,
    ) -> Self {
        self.0.run = run;
        self
    }

    fn recall(
        mut self,
        recall: fn(&mut isosmith_engine::StepCx<'_>, &mut Debian) -> Result<(), Failure>,
    ) -> Self {
        self.0.recall = recall;
        self
    }

    /// The system works without it.
    fn optional(mut self) -> Self {
        self.0.optional = true;
        self
    }

    fn after(mut self, after: &'static [StepId]) -> Self {
        self.0.after = after;
        self
    }
}

/// Takes the time of the build out of a layer: nothing in it is newer than the source date
/// (`reproducible-builds.org/specs/source-date-epoch`). Done to the raw layer, because
/// through the overlay each change would copy a whole file.
fn clamp_times(upper: &Path, state: &Debian) -> Result<(), Failure> {
    let date = state.source_date();
    clamp(upper, date).map_err(|error| Failure::io_at("set times in", upper, error))
}

fn clamp(path: &Path, date: i64) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let meta = fs::symlink_metadata(path)?;
    if meta.is_dir() {
        for entry in fs::read_dir(path)? {
            clamp(&entry?.path(), date)?;
        }
    }
    if meta.mtime() <= date {
        return Ok(());
    }
    let time = nix::sys::time::TimeSpec::new(date, 0);
    let flags = nix::sys::stat::UtimensatFlags::NoFollowSymlink;
    match nix::sys::stat::utimensat(nix::fcntl::AT_FDCWD, path, &time, &time, flags) {
        // The mark of a removed file is a device that cannot be touched; it is in no image.
        Ok(()) | Err(nix::Error::EPERM) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
