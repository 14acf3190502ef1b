//! Fields of `[security]` and `[ai]`.

use super::{Field, Kind, LINE};
use crate::model::{Firewall, ModelInterface};
use crate::names::{Port, Uri};

pub(super) static SECURITY: &[Field] = &[
    Field::new(
        "firewall",
        Kind::Word(Firewall::WORDS),
        "A firewall that lets in nothing but `open_ports`.",
        &["\"nftables\""],
    ),
    Field::new(
        "open_ports",
        Kind::List {
            item: &Kind::name(Port::PATTERN),
            adds: false,
        },
        "Ports that the firewall lets in, `NUMBER/tcp` or `NUMBER/udp`.",
        &["[\"22/tcp\"]"],
    ),
    Field::new(
        "fail2ban",
        Kind::Switch,
        "Whether fail2ban shuts out addresses that guess passwords over SSH; needs `openssh-server` among the packages.",
        &["true"],
    ),
    Field::new(
        "hardening",
        Kind::Switch,
        "Whether the kernel is hardened with a file below /etc/sysctl.d.",
        &["true"],
    ),
    Field::new(
        "apparmor",
        Kind::Switch,
        "Whether AppArmor is on, with the profiles that Debian ships.",
        &["true"],
    ),
    Field::new(
        "automatic_updates",
        Kind::Switch,
        "Whether security updates are installed by themselves.",
        &["true"],
    ),
    Field::new(
        "dns_over_tls",
        Kind::Switch,
        "Whether names are resolved over TLS where the network's servers can do it.",
        &["true"],
    ),
    Field::new(
        "random_mac",
        Kind::Switch,
        "Whether NetworkManager uses random hardware addresses.",
        &["true"],
    ),
    Field::new(
        "ssh",
        Kind::Either(&[Kind::Off, Kind::Table(SSH)]),
        "How SSH lets people in, where an SSH server is installed; `false` leaves it to Debian's default.",
        &["{ password = false, root = false }"],
    ),
    Field::new(
        "signing",
        Kind::Either(&[Kind::Off, Kind::Table(SIGNING)]),
        "A key of your own that signs boot loader and kernel for Secure Boot; `false` for none.",
        &["{ key = \"keys/db.key\", certificate = \"keys/db.pem\" }"],
    ),
];

static SSH: &[Field] = &[
    Field::new(
        "password",
        Kind::Switch,
        "Whether a password is enough to log in.",
        &["true"],
    )
    .or("false"),
    Field::new(
        "root",
        Kind::Switch,
        "Whether root may log in (with a key only).",
        &["true"],
    )
    .or("false"),
];

static SIGNING: &[Field] = &[
    Field::new(
        "key",
        Kind::Material,
        "RSA private key beside the profile, PEM, without a passphrase; it stays out of the image.",
        &["\"keys/db.key\""],
    )
    .required(),
    Field::new(
        "certificate",
        Kind::Material,
        "Its X.509 certificate, PEM or DER.",
        &["\"keys/db.pem\""],
    )
    .required(),
];

pub(super) static ASSISTANT: &[Field] = &[
    Field::new(
        "interface",
        Kind::Word(ModelInterface::WORDS),
        "Which HTTP interface the model's server has: Ollama's own, or OpenAI's, which many servers speak.",
        &["\"ollama\""],
    )
    .required(),
    Field::new(
        "endpoint",
        Kind::name(Uri::PATTERN),
        "The server's base address.",
        &["\"http://127.0.0.1:11434\""],
    )
    .required(),
    Field::new(
        "model",
        LINE,
        "The model's name at that server.",
        &["\"llama3.2\""],
    )
    .required(),
];
