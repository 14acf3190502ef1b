//! Fields of `[base]`, `[software]` and `[kernel]`.

use super::{Field, Kind, LINE};
use crate::model::{Architecture, FirmwareSet, KernelFlavour, Suite};
use crate::names::{
    Component, DebconfQuestion, KernelParameter, ModuleName, PackageName, SnapshotTime, Uri,
};

const MIRROR: Kind = Kind::Either(&[Kind::Word(&["auto"]), Kind::name(Uri::PATTERN)]);
const PACKAGES: Kind = Kind::List {
    item: &Kind::name(PackageName::PATTERN),
    adds: true,
};
const COMPONENTS: Kind = Kind::List {
    item: &Kind::name(Component::PATTERN),
    adds: false,
};

pub(super) static BASE: &[Field] = &[
    Field::new(
        "suite",
        Kind::Word(Suite::WORDS),
        "Debian's release: 12 is bookworm, 13 trixie, 14 forky (in preparation); sid is unstable.",
        &["\"trixie\"", "\"bookworm\""],
    ),
    Field::new(
        "architecture",
        Kind::Word(Architecture::WORDS),
        "The machines that the image runs on; amd64 is 64-bit x86.",
        &["\"amd64\""],
    ),
    Field::new(
        "components",
        COMPONENTS,
        "Archive areas; `main` must be among them, and most firmware is in `non-free-firmware`.",
        &["[\"main\", \"contrib\"]"],
    ),
    Field::new(
        "mirrors",
        Kind::List {
            item: &MIRROR,
            adds: false,
        },
        "Mirrors, best first. `auto` is what this machine's own apt uses where it is a Debian, else the official mirror.",
        &["[\"https://deb.debian.org/debian\"]", "[\"auto\"]"],
    ),
    Field::new(
        "security",
        Kind::Either(&[
            Kind::Switch,
            Kind::Word(&["auto"]),
            Kind::name(Uri::PATTERN),
        ]),
        "Where security updates come from: `auto` (the same as `true`), `false` for none, or the address of a mirror. Unstable has none.",
        &["false", "\"https://security.debian.org/debian-security\""],
    ),
    Field::new(
        "updates",
        Kind::Switch,
        "Whether the SUITE-updates pocket is used. Unstable has none.",
        &["false"],
    ),
    Field::new(
        "key",
        Kind::Material,
        "File with the OpenPGP public key that signs the mirrors, where it is not Debian's own.",
        &["\"archive.asc\""],
    ),
    Field::new(
        "snapshot",
        Kind::name(SnapshotTime::PATTERN),
        "Takes every package as it was at this time (UTC) from a snapshot archive. Cannot stand beside addresses in `mirrors`.",
        &["\"20260131T000000Z\""],
    ),
    Field::new(
        "snapshot_base",
        Kind::name(Uri::PATTERN),
        "The snapshot archive; used only with `snapshot`.",
        &["\"https://snapshot.example.org\""],
    ),
    Field::new(
        "proxy",
        Kind::name(Uri::PATTERN),
        "HTTP proxy for every download; without one, the machine's own apt setting holds.",
        &["\"http://proxy.example.org:3128\""],
    ),
    Field::new(
        "repositories",
        Kind::List {
            item: &Kind::Table(REPOSITORY),
            adds: true,
        },
        "Further apt repositories, each with the key that signs it.",
        &[
            "[{ name = \"example\", uri = \"https://apt.example.org\", suite = \"stable\", components = [\"main\"], key = \"example.asc\" }]",
        ],
    ),
];

static REPOSITORY: &[Field] = &[
    Field::new(
        "name",
        Kind::name("^[a-z0-9][a-z0-9-]*$"),
        "Name of its file in the image's apt sources; a-z, 0-9 and `-`.",
        &["\"example\""],
    )
    .required(),
    Field::new(
        "uri",
        Kind::name(Uri::PATTERN),
        "Where it is.",
        &["\"https://apt.example.org\""],
    )
    .required(),
    Field::new(
        "suite",
        Kind::name("^[A-Za-z0-9./][A-Za-z0-9./_+~-]*$"),
        "Its suite, or for a flat repository a path ending in `/`.",
        &["\"stable\"", "\"./\""],
    )
    .required(),
    Field::new(
        "components",
        COMPONENTS,
        "Its components; none for a flat repository.",
        &["[\"main\"]"],
    ),
    Field::new(
        "key",
        Kind::Material,
        "File with the OpenPGP public key (armoured or binary) that signs it.",
        &["\"example.asc\""],
    )
    .required(),
    Field::new(
        "keep",
        Kind::Switch,
        "Whether the finished image keeps the repository in its apt sources.",
        &["false"],
    )
    .or("true"),
];

pub(super) static SOFTWARE: &[Field] = &[
    Field::new(
        "packages",
        PACKAGES,
        "Packages to install. Adds to the parent's; `\"!name\"` takes one of the parent's out.",
        &["[\"htop\", \"tmux\"]"],
    ),
    Field::new(
        "exclude",
        PACKAGES,
        "Packages that must never be installed, not even as a dependency. Adds to the parent's.",
        &["[\"nano\"]"],
    ),
    Field::new(
        "recommends",
        Kind::Switch,
        "Whether packages that others only recommend are installed too.",
        &["true"],
    ),
    Field::new(
        "debs",
        Kind::List {
            item: &Kind::Material,
            adds: true,
        },
        "Package files beside the profile. Adds to the parent's.",
        &["[\"debs/tool_1.0_amd64.deb\"]"],
    ),
    Field::new(
        "debconf",
        Kind::List {
            item: &Kind::Table(DEBCONF),
            adds: true,
        },
        "Answers given to packages before they are configured, or to Debian's installer, as `d-i`. Adds to the parent's.",
        &[
            "[{ package = \"tzdata\", question = \"tzdata/Areas\", kind = \"select\", value = \"Etc\" }]",
        ],
    ),
];

/// The types of debconf's templates (debconf-devel(7)) that hold an answer.
pub(crate) const DEBCONF_KINDS: &[&str] = &[
    "boolean",
    "string",
    "select",
    "multiselect",
    "password",
    "note",
];

static DEBCONF: &[Field] = &[
    Field::new(
        "package",
        Kind::name(PackageName::PATTERN),
        "The package that asks; `d-i` for a question of Debian's installer.",
        &["\"tzdata\""],
    )
    .required(),
    Field::new(
        "question",
        Kind::name(DebconfQuestion::PATTERN),
        "The question, OWNER/NAME.",
        &["\"tzdata/Areas\""],
    )
    .required(),
    Field::new(
        "kind",
        Kind::Word(DEBCONF_KINDS),
        "The type of the question's template.",
        &["\"select\""],
    )
    .required(),
    Field::new("value", LINE, "The answer, in one line.", &["\"Etc\""]).required(),
];

pub(super) static KERNEL: &[Field] = &[
    Field::new(
        "flavour",
        Kind::Word(KernelFlavour::WORDS),
        "`stable` is the suite's own, `backports` a newer one for bookworm and trixie, `rt` for real time, `cloud` for virtual machines.",
        &["\"backports\"", "\"cloud\""],
    ),
    Field::new(
        "cmdline",
        Kind::List {
            item: &Kind::name(KernelParameter::PATTERN),
            adds: false,
        },
        "Parameters for every boot entry, after the ones that the live system needs.",
        &["[\"quiet\", \"mitigations=off\"]"],
    ),
    Field::new(
        "blacklist",
        Kind::List {
            item: &Kind::name(ModuleName::PATTERN),
            adds: false,
        },
        "Kernel modules that are never loaded by themselves.",
        &["[\"pcspkr\"]"],
    ),
    Field::new(
        "firmware",
        Kind::List {
            item: &Kind::Word(FirmwareSet::WORDS),
            adds: false,
        },
        "Groups of firmware packages. All but `free` need the component `non-free-firmware`.",
        &["[\"free\", \"wireless\", \"microcode\"]"],
    ),
];
