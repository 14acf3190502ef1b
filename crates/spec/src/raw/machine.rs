//! Fields of `[region]`, `[users]`, `[services]`, `[[files]]`, `[[scripts]]` and `[boot]`.

use super::{Field, Kind, LINE};
use crate::model::{BiosLoader, MenuEntry, ScriptPoint, SudoPolicy};
use crate::names::{
    GroupName, Hostname, KernelParameter, Locale, TargetPath, Timezone, UnitName, UserName, XkbName,
};

pub(super) static REGION: &[Field] = &[
    Field::new(
        "locales",
        Kind::List {
            item: &Kind::name(Locale::PATTERN),
            adds: false,
        },
        "Locales to generate; the first is the default.",
        &["[\"de_DE.UTF-8\", \"en_US.UTF-8\"]"],
    ),
    Field::new(
        "timezone",
        Kind::name(Timezone::PATTERN),
        "Time zone as Area/City, or `UTC`.",
        &["\"Europe/Berlin\""],
    ),
    Field::new(
        "hostname",
        Kind::name(Hostname::PATTERN),
        "Name of the running system.",
        &["\"live\""],
    ),
    Field::new(
        "keyboard",
        Kind::Table(KEYBOARD),
        "Keyboard of console and desktop, see keyboard(5).",
        &[],
    ),
];

const XKB: Kind = Kind::name(XkbName::PATTERN);

static KEYBOARD: &[Field] = &[
    Field::new("model", XKB, "XKBMODEL.", &["\"pc104\""]),
    Field::new(
        "layout",
        XKB,
        "XKBLAYOUT; several are separated by commas.",
        &["\"de\"", "\"de,us\""],
    ),
    Field::new(
        "variant",
        XKB,
        "XKBVARIANT; may be empty.",
        &["\"nodeadkeys\""],
    ),
    Field::new(
        "options",
        XKB,
        "XKBOPTIONS; may be empty.",
        &["\"compose:caps\""],
    ),
];

const PASSWORD: Kind = Kind::name("^(locked|prompt|\\$[A-Za-z0-9]+\\$.+)$");

pub(super) static USERS: &[Field] = &[
    Field::new(
        "live",
        Kind::Either(&[Kind::Off, Kind::Table(LIVE_USER)]),
        "The user of the live system; `false` makes none.",
        &["false"],
    ),
    Field::new("root", Kind::Table(ROOT), "The account root.", &[]),
    Field::new(
        "accounts",
        Kind::List {
            item: &Kind::Table(ACCOUNT),
            adds: false,
        },
        "Further accounts, made while the image is built.",
        &["[{ name = \"kim\", password = \"prompt\" }]"],
    ),
];

static ACCOUNT: &[Field] = &[
    Field::new(
        "name",
        Kind::name(UserName::PATTERN),
        "Login name.",
        &["\"kim\""],
    )
    .required(),
    Field::new(
        "full_name",
        LINE,
        "Name for people; may be empty.",
        &["\"Kim Example\""],
    )
    .or("\"\""),
    Field::new(
        "password",
        PASSWORD,
        "`locked`, `prompt` (asked before the build) or a hash made by `mkpasswd -m yescrypt`.",
        &["\"prompt\""],
    )
    .or("\"locked\""),
    Field::new(
        "groups",
        Kind::List {
            item: &Kind::name(GroupName::PATTERN),
            adds: false,
        },
        "Supplementary groups; each must exist in the image.",
        &["[\"audio\", \"video\"]"],
    )
    .or("[]"),
    Field::new(
        "sudo",
        Kind::Switch,
        "Whether the account may do everything with sudo, with its own password.",
        &["true"],
    )
    .or("false"),
    Field::new(
        "reset",
        Kind::Switch,
        "Whether the home folder is as new after each logout.",
        &["true"],
    )
    .or("false"),
];

static LIVE_USER: &[Field] = &[
    Field::new(
        "name",
        Kind::name(UserName::PATTERN),
        "Login name.",
        &["\"alex\""],
    ),
    Field::new(
        "full_name",
        LINE,
        "Name for people; may be empty.",
        &["\"Alex Example\""],
    ),
    Field::new(
        "password",
        PASSWORD,
        "`locked`, `prompt` (asked before the build) or a hash made by `mkpasswd -m yescrypt`. A locked user can still be logged in by `autologin`.",
        &["\"prompt\""],
    ),
    Field::new(
        "groups",
        Kind::List {
            item: &Kind::name(GroupName::PATTERN),
            adds: false,
        },
        "Supplementary groups; each must exist in the image.",
        &["[\"audio\", \"video\"]"],
    ),
    Field::new(
        "autologin",
        Kind::Switch,
        "Whether consoles and the display manager log the user in by themselves.",
        &["false"],
    ),
    Field::new(
        "sudo",
        Kind::Word(SudoPolicy::WORDS),
        "What sudo allows: everything without a password, everything with it, or nothing.",
        &["\"password\"", "\"none\""],
    ),
    Field::new(
        "ssh_keys",
        Kind::List {
            item: &LINE,
            adds: false,
        },
        "Public keys that may log in over SSH, one line each as in `~/.ssh/id_ed25519.pub`.",
        &[
            "[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alex@example\"]",
        ],
    ),
];

static ROOT: &[Field] = &[Field::new(
    "password",
    PASSWORD,
    "`locked`, `prompt` (asked before the build) or a hash made by `mkpasswd -m yescrypt`.",
    &["\"prompt\""],
)];

const UNITS: Kind = Kind::List {
    item: &Kind::name(UnitName::PATTERN),
    adds: true,
};

pub(super) static SERVICES: &[Field] = &[
    Field::new(
        "enable",
        UNITS,
        "Units that are switched on. Adds to the parent's.",
        &["[\"ssh.service\"]"],
    ),
    Field::new(
        "disable",
        UNITS,
        "Units that are switched off. Adds to the parent's.",
        &["[\"apt-daily.timer\"]"],
    ),
];

pub(super) static FILE: &[Field] = &[
    Field::new(
        "source",
        Kind::Material,
        "File or folder beside the profile; a folder's contents go below `target`.",
        &["\"files/motd\""],
    )
    .required(),
    Field::new(
        "target",
        Kind::name(TargetPath::PATTERN),
        "Absolute path in the image.",
        &["\"/etc/motd\""],
    )
    .required(),
    Field::new(
        "owner",
        Kind::name(UserName::PATTERN),
        "Owner's name in the image.",
        &["\"www-data\""],
    )
    .or("\"root\""),
    Field::new(
        "group",
        Kind::name(GroupName::PATTERN),
        "Group's name in the image.",
        &["\"www-data\""],
    )
    .or("\"root\""),
    Field::new(
        "mode",
        Kind::name("^0?[0-7]{3}$"),
        "Permission bits of files in octal; folders get the search bits added. Without it the source's executable bit decides between 0644 and 0755.",
        &["\"0644\""],
    ),
];

pub(super) static SCRIPT: &[Field] = &[
    Field::new(
        "point",
        Kind::Word(ScriptPoint::WORDS),
        "When it runs: after the base system, after all packages, just before the image is packed, or once when the finished system first boots.",
        &["\"before-image\""],
    )
    .required(),
    Field::new(
        "source",
        Kind::Material,
        "The script beside the profile; begins with `#!`.",
        &["\"scripts/tidy.sh\""],
    )
    .required(),
    Field::new(
        "network",
        Kind::Switch,
        "Whether it may use the network while the image is built.",
        &["true"],
    )
    .or("false"),
];

pub(super) static BOOT: &[Field] = &[
    Field::new(
        "bios",
        Kind::Word(BiosLoader::WORDS),
        "Loader for BIOS machines.",
        &["\"grub\"", "\"isolinux\""],
    ),
    Field::new(
        "uefi",
        Kind::Switch,
        "Whether UEFI machines can boot the medium.",
        &["true", "false"],
    ),
    Field::new(
        "secure_boot",
        Kind::Switch,
        "Whether Debian's signed shim and GRUB are used, so that Secure Boot can stay on.",
        &["false"],
    ),
    Field::new(
        "entries",
        Kind::List {
            item: &Kind::Word(MenuEntry::WORDS),
            adds: false,
        },
        "Lines of the boot menu, in order; the first starts by itself.",
        &["[\"live\", \"local-disk\"]"],
    ),
    Field::new(
        "timeout",
        Kind::Either(&[Kind::Number { from: 1, to: 3600 }, Kind::Word(&["never"])]),
        "Seconds until the first entry starts by itself, or `never`.",
        &["10", "\"never\""],
    ),
    Field::new(
        "serial",
        Kind::Either(&[Kind::Off, Kind::Table(SERIAL)]),
        "A serial console for menu and kernel messages; `false` for none.",
        &["{ unit = 0, speed = 115200 }"],
    ),
    Field::new(
        "parameters",
        Kind::List {
            item: &Kind::name(KernelParameter::PATTERN),
            adds: false,
        },
        "Further kernel parameters for the live entries.",
        &["[\"persistence\"]"],
    ),
];

static SERIAL: &[Field] = &[
    Field::new(
        "unit",
        Kind::Number { from: 0, to: 3 },
        "0 for ttyS0 and so on.",
        &["1"],
    )
    .or("0"),
    Field::new(
        "speed",
        Kind::Number {
            from: 1200,
            to: 115_200,
        },
        "Bits per second: 1200, 2400, 4800, 9600, 19200, 38400, 57600 or 115200.",
        &["9600"],
    )
    .or("115200"),
];
