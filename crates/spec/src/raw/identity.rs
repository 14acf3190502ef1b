//! Fields of `[profile]`, `[branding]` and `[image]`.

use super::{Field, Kind, LINE, MOST_CHARACTERS, MOST_MOTD};
use crate::model::{Checksum, Colour, Compression};
use crate::names::{Codename, Label, OsId, Uri};

pub(super) static PROFILE_INFO: &[Field] = &[
    Field::new(
        "name",
        Kind::name("^[a-z0-9][a-z0-9-]{0,63}$"),
        "Short name for commands and files; a-z, 0-9 and `-`.",
        &["\"minimal\""],
    )
    .required(),
    Field::new(
        "description",
        LINE,
        "One line for people.",
        &["\"A console system with network\""],
    ),
];

const COLOUR: Kind = Kind::name(Colour::PATTERN);
const ADDRESS: Kind = Kind::name(Uri::PATTERN);

pub(super) static BRANDING: &[Field] = &[
    Field::new(
        "name",
        LINE,
        "Full name of the product. The default is made from `profile.name`.",
        &["\"Example Linux\""],
    ),
    Field::new(
        "short_name",
        LINE,
        "Name for narrow places, at most 32 characters. The default is `name`, cut; so it is below a profile that was called something else.",
        &["\"Example\""],
    ),
    Field::new(
        "id",
        Kind::name(OsId::PATTERN),
        "ID of os-release(5), also used in file names. The default is `profile.name`.",
        &["\"example\""],
    ),
    Field::new(
        "version",
        Kind::name("^([a-z0-9][a-z0-9._-]{0,63})?$"),
        "Version, such as 1.0; empty for a product without versions.",
        &["\"1.0\""],
    ),
    Field::new(
        "codename",
        Kind::name(Codename::PATTERN),
        "Codename; may be empty.",
        &["\"aurora\""],
    ),
    Field::new(
        "vendor",
        LINE,
        "Who makes it; may be empty.",
        &["\"Example Foundation\""],
    ),
    Field::new(
        "logo",
        Kind::Material,
        "Picture beside the profile, SVG or PNG.",
        &["\"logo.svg\""],
    ),
    Field::new(
        "wallpaper",
        Kind::Material,
        "Picture behind boot menus, login and desktop; SVG, PNG, JPEG or WebP.",
        &["\"wallpaper.png\""],
    ),
    Field::new(
        "wallpaper_dark",
        Kind::Material,
        "Wallpaper of desktops in dark colours. The default is `wallpaper`.",
        &["\"wallpaper-dark.png\""],
    ),
    Field::new(
        "accent",
        COLOUR,
        "Colour of highlights and selections, `#rgb` or `#rrggbb`.",
        &["\"#e0a030\""],
    ),
    Field::new(
        "background",
        COLOUR,
        "Colour where there is no wallpaper.",
        &["\"#000000\""],
    ),
    Field::new(
        "text",
        COLOUR,
        "Colour of text on the background.",
        &["\"#fff\""],
    ),
    Field::new(
        "motd",
        Kind::line(MOST_MOTD),
        "Text shown after login on a console; may have several lines. The default is made from the name.",
        &["\"Welcome.\""],
    ),
    Field::new(
        "slides",
        Kind::List {
            item: &Kind::Table(SLIDE),
            adds: false,
        },
        "Shown one after the other while the installer copies files; at most five.",
        &["[{ title = \"Welcome\", text = \"Everything you need is here.\" }]"],
    ),
    Field::new(
        "urls",
        Kind::Table(URLS),
        "Web addresses for os-release(5).",
        &[],
    ),
];

static SLIDE: &[Field] = &[
    Field::new("title", LINE, "Heading; one line.", &["\"Welcome\""]).required(),
    Field::new(
        "text",
        LINE,
        "What it says; may have several lines.",
        &["\"Everything you need is here.\""],
    )
    .required(),
    Field::new(
        "picture",
        Kind::Material,
        "Picture beside the profile; SVG, PNG, JPEG or WebP.",
        &["\"slides/welcome.svg\""],
    ),
];

static URLS: &[Field] = &[
    Field::new("home", ADDRESS, "HOME_URL.", &["\"https://example.org\""]),
    Field::new(
        "support",
        ADDRESS,
        "SUPPORT_URL.",
        &["\"https://example.org/help\""],
    ),
    Field::new(
        "bugs",
        ADDRESS,
        "BUG_REPORT_URL.",
        &["\"https://example.org/bugs\""],
    ),
    Field::new(
        "documentation",
        ADDRESS,
        "DOCUMENTATION_URL.",
        &["\"https://example.org/docs\""],
    ),
];

pub(super) static IMAGE: &[Field] = &[
    Field::new(
        "compression",
        Kind::name(Compression::PATTERN),
        "Of the squashfs: `zstd:1` to `zstd:22`, `xz`, `gzip:1` to `gzip:9`, `lz4`, `lz4:hc`, `lzo:1` to `lzo:9`.",
        &["\"zstd:19\"", "\"xz\""],
    ),
    Field::new(
        "label",
        Kind::name(Label::PATTERN),
        "Volume label: 1 to 32 of A-Z, 0-9, `_`, `-` and `.`. The default is made from name and version.",
        &["\"EXAMPLE_1.0\""],
    ),
    Field::new(
        "file_name",
        Kind::Text {
            pattern: Some("\\.iso$"),
            most: MOST_CHARACTERS,
        },
        "Name of the ISO. Placeholders: {id}, {name}, {version}, {codename}, {suite}, {arch}, {profile}, and {date} where `source_date` is set.",
        &["\"{id}-{arch}.iso\""],
    ),
    Field::new(
        "checksums",
        Kind::List {
            item: &Kind::Word(Checksum::WORDS),
            adds: false,
        },
        "Checksum files written beside the ISO.",
        &["[\"sha512\"]"],
    ),
    Field::new(
        "source_date",
        Kind::Date,
        "The one date that everything in the image bears: seconds since 1970, a day or RFC 3339. Without it, the date of the suite's Release file.",
        &["\"2026-01-31\"", "1769817600"],
    ),
];
