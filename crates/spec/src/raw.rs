//! The shape of a profile as written: every field, what it takes and what it means.
//!
//! One table is the source of everything that must agree about fields: which ones exist
//! (and what a typo was meant to be), which lists add to a parent's, which paths `set`
//! knows, what `explain` lists and what the JSON schema says. A field is added here, read
//! in [`mod@crate::check`], and given its default in `defaults.toml`.

mod desktop;
mod identity;
mod machine;
mod security;
mod system;

/// Longest profile text, in bytes.
pub const MOST_BYTES: usize = 1 << 20;
/// Longest list.
pub const MOST_ENTRIES: usize = 10_000;
/// Longest text value, in characters, but for `branding.motd`.
pub const MOST_CHARACTERS: usize = 4096;
/// Longest `branding.motd`, in characters.
pub const MOST_MOTD: usize = 16 * 1024;
/// The number a profile must give as its `format`.
pub const FORMAT: i64 = 1;

/// One key of a table.
#[derive(Debug)]
pub(crate) struct Field {
    /// As written.
    pub(crate) name: &'static str,
    /// What it takes.
    pub(crate) kind: Kind,
    /// One or two sentences for people.
    pub(crate) about: &'static str,
    /// Values that are accepted, as TOML.
    pub(crate) examples: &'static [&'static str],
    /// What a missing key of a list's entry or of an optional table means, as TOML; the
    /// defaults of the profile itself are in `defaults.toml`.
    pub(crate) default: Option<&'static str>,
    /// Whether its table is refused without it.
    pub(crate) required: bool,
}

/// What a field takes.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A text, with a pattern for the schema.
    Text {
        pattern: Option<&'static str>,
        most: usize,
    },
    /// One of a few words.
    Word(&'static [&'static str]),
    /// A date: text, number or TOML's own date.
    Date,
    /// A path to a file that comes with the profile.
    Material,
    /// `true` or `false`.
    Switch,
    /// Only `false`.
    Off,
    /// A whole number.
    Number { from: i64, to: i64 },
    /// A table with these keys.
    Table(&'static [Field]),
    /// A list. One that `adds` goes after what the layers below wrote; all others replace it.
    List { item: &'static Kind, adds: bool },
    /// Any of these, which differ in their TOML types or in their words.
    Either(&'static [Kind]),
}

impl Field {
    const fn new(
        name: &'static str,
        kind: Kind,
        about: &'static str,
        examples: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            kind,
            about,
            examples,
            default: None,
            required: false,
        }
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
}

impl Kind {
    const fn name(pattern: &'static str) -> Self {
        Self::Text {
            pattern: Some(pattern),
            most: MOST_CHARACTERS,
        }
    }

    /// A text with a shorter limit of its own, which the checker applies.
    const fn line(most: usize) -> Self {
        Self::Text {
            pattern: None,
            most,
        }
    }

    /// The keys, if it can be a table.
    pub(crate) fn fields(&self) -> Option<&'static [Field]> {
        match self {
            Self::Table(fields) => Some(fields),
            Self::Either(kinds) => kinds.iter().find_map(Self::fields),
            Self::Text { .. }
            | Self::Word(_)
            | Self::Date
            | Self::Material
            | Self::Switch
            | Self::Off
            | Self::Number { .. }
            | Self::List { .. } => None,
        }
    }

    /// Whether nothing but a text can be written.
    pub(crate) fn is_textual(&self) -> bool {
        match self {
            Self::Text { .. } | Self::Word(_) | Self::Material => true,
            Self::Either(kinds) => kinds.iter().all(Self::is_textual),
            Self::Date
            | Self::Switch
            | Self::Off
            | Self::Number { .. }
            | Self::Table(_)
            | Self::List { .. } => false,
        }
    }
}

pub(crate) use desktop::ENVIRONMENTS;
pub(crate) use system::DEBCONF_KINDS;

/// A free text of one line.
const LINE: Kind = Kind::line(MOST_CHARACTERS);

/// The profile's top level.
pub(crate) static PROFILE: &[Field] = &[
    Field::new(
        "format",
        Kind::Number {
            from: FORMAT,
            to: FORMAT,
        },
        "Version of the profile format; always 1.",
        &["1"],
    )
    .required(),
    Field::new(
        "extends",
        Kind::name("^[a-z0-9][a-z0-9-]*$"),
        "Name of the profile this one is built on. Tables merge and values replace the parent's; the lists `software.packages`, `software.exclude`, `software.debs`, `software.debconf`, `services.enable`, `services.disable`, `files`, `scripts` and `base.repositories` add to the parent's. `\"!nano\"` in a list of names takes the parent's `nano` out.",
        &["\"minimal\""],
    ),
    Field::new(
        "profile",
        Kind::Table(identity::PROFILE_INFO),
        "What the profile says of itself.",
        &[],
    )
    .required(),
    Field::new(
        "base",
        Kind::Table(system::BASE),
        "Which distribution, from where.",
        &[],
    ),
    Field::new(
        "software",
        Kind::Table(system::SOFTWARE),
        "What is installed on top of the base system.",
        &[],
    ),
    Field::new(
        "desktop",
        Kind::Table(desktop::DESKTOP),
        "What a person sees after the start: the desktop and its applications.",
        &[],
    ),
    Field::new(
        "kernel",
        Kind::Table(system::KERNEL),
        "Which kernel, with which parameters and firmware.",
        &[],
    ),
    Field::new(
        "region",
        Kind::Table(machine::REGION),
        "Language, keyboard, time zone, host name.",
        &[],
    ),
    Field::new(
        "users",
        Kind::Table(machine::USERS),
        "Who can log in, and how.",
        &[],
    ),
    Field::new(
        "services",
        Kind::Table(machine::SERVICES),
        "Which systemd units are switched on or off.",
        &[],
    ),
    Field::new(
        "files",
        Kind::List {
            item: &Kind::Table(machine::FILE),
            adds: true,
        },
        "Files and folders laid over the tree, in this order.",
        &[],
    ),
    Field::new(
        "scripts",
        Kind::List {
            item: &Kind::Table(machine::SCRIPT),
            adds: true,
        },
        "Scripts run inside the tree, in this order.",
        &[],
    ),
    Field::new(
        "security",
        Kind::Table(security::SECURITY),
        "What protects the running system.",
        &[],
    ),
    Field::new(
        "ai",
        Kind::Either(&[Kind::Off, Kind::Table(security::ASSISTANT)]),
        "The AI helper `ai` and the language model that it asks; `false` for none.",
        &[
            "{ interface = \"ollama\", endpoint = \"http://127.0.0.1:11434\", model = \"llama3.2\" }",
        ],
    ),
    Field::new(
        "installer",
        Kind::Table(desktop::INSTALLER),
        "How the live system gets onto a disk.",
        &[],
    ),
    Field::new(
        "boot",
        Kind::Table(machine::BOOT),
        "How the medium boots.",
        &[],
    ),
    Field::new(
        "branding",
        Kind::Table(identity::BRANDING),
        "Names, colours and pictures of the product.",
        &[],
    ),
    Field::new(
        "image",
        Kind::Table(identity::IMAGE),
        "The ISO itself.",
        &[],
    ),
];

/// The field at a dotted path without list indices, such as `image.compression`.
pub(crate) fn find(path: &str) -> Option<&'static Field> {
    let mut fields = PROFILE;
    let mut found = None;
    for key in path.split('.') {
        let field = fields.iter().find(|field| field.name == key)?;
        fields = field.kind.fields().unwrap_or(&[]);
        found = Some(field);
    }
    found
}

/// Every path of a field that has no keys of its own, such as `base.suite`.
pub(crate) fn leaves() -> Vec<(String, &'static Field)> {
    fn walk(fields: &'static [Field], prefix: &str, found: &mut Vec<(String, &'static Field)>) {
        for field in fields {
            let path = join(prefix, field.name);
            match field.kind.fields() {
                Some(inner) => walk(inner, &path, found),
                None => found.push((path, field)),
            }
        }
    }
    let mut found = Vec::new();
    walk(PROFILE, "", &mut found);
    found
}

/// `prefix.key`, or `key` at the top.
pub(crate) fn join(prefix: &str, key: &str) -> String {
    match prefix.is_empty() {
        true => key.to_owned(),
        false => format!("{prefix}.{key}"),
    }
}
