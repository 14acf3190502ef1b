//! `[region]`, `[users]`, `[services]`, `[[files]]`, `[[scripts]]` and `[boot]`.

use super::read::Place;
use super::system::parameter;
use crate::model::{
    Account, Boot, FileOverlay, Keyboard, LiveUser, Login, MenuEntry, Region, Script, ScriptPoint,
    SerialConsole, Services, Users,
};
use crate::names::{
    GroupName, Hostname, Locale, MaterialPath, TargetPath, Timezone, UnitName, UserName, XkbName,
    one_line, only, refuse_if, visible,
};
use crate::problem::{Reason, quote};

pub(super) fn region(at: &Place<'_>) -> Option<Region> {
    let locales = at.get("locales").distinct(Locale::parse);
    if locales.as_ref().is_some_and(Vec::is_empty) {
        at.get("locales").refuse(
            "the list of locales is empty",
            "write at least `[\"C.UTF-8\"]`, or leave the line out",
        );
    }
    let keyboard = keyboard(&at.get("keyboard"));
    let timezone = at.get("timezone").parse(Timezone::parse);
    let hostname = at.get("hostname").parse(Hostname::parse);
    Some(Region {
        locales: locales?,
        keyboard: keyboard?,
        timezone: timezone?,
        hostname: hostname?,
    })
}

fn keyboard(at: &Place<'_>) -> Option<Keyboard> {
    let needed = |text: &str| {
        visible(text, "keyboard setting")?;
        XkbName::parse(text)
    };
    let model = at.get("model").parse(needed);
    let layout = at.get("layout").parse(needed);
    let variant = at.get("variant").parse(XkbName::parse);
    let options = at.get("options").parse(XkbName::parse);
    Some(Keyboard {
        model: model?,
        layout: layout?,
        variant: variant?,
        options: options?,
    })
}

pub(super) fn users(at: &Place<'_>) -> Option<Users> {
    let live = match at.get("live").is_off() {
        true => Some(None),
        false => live_user(&at.get("live")).map(Some),
    };
    let root = at.get("root.password").parse(login);
    let accounts = at.get("accounts").list(account);
    Some(Users {
        live: live?,
        root: root?,
        accounts: accounts?,
    })
}

fn account(at: &Place<'_>) -> Option<Account> {
    let name = at.get("name").parse(own_name);
    let full_name = at.get("full_name").parse(full_name);
    let password = at.get("password").parse(login);
    let groups = at.get("groups").distinct(GroupName::parse);
    let sudo = at.get("sudo").switch();
    let reset = at.get("reset").switch();
    Some(Account {
        name: name?,
        full_name: full_name?,
        password: password?,
        groups: groups?,
        sudo: sudo?,
        reset: reset?,
    })
}

fn live_user(at: &Place<'_>) -> Option<LiveUser> {
    let name = at.get("name").parse(own_name);
    let full_name = at.get("full_name").parse(full_name);
    let password = at.get("password").parse(login);
    let groups = at.get("groups").distinct(GroupName::parse);
    let autologin = at.get("autologin").switch();
    let sudo = at.get("sudo").parse(str::parse);
    let ssh_keys = at.get("ssh_keys").distinct(ssh_key);
    Some(LiveUser {
        name: name?,
        full_name: full_name?,
        password: password?,
        groups: groups?,
        autologin: autologin?,
        sudo: sudo?,
        ssh_keys: ssh_keys?,
    })
}

/// Users and groups of Debian's base-passwd, and of services that live images often hold;
/// a user brings a group of its own name, so groups count too.
const SYSTEM_ACCOUNTS: [&str; 61] = [
    "adm",
    "audio",
    "avahi",
    "backup",
    "bin",
    "cdrom",
    "colord",
    "crontab",
    "daemon",
    "dialout",
    "dip",
    "disk",
    "fax",
    "floppy",
    "games",
    "gdm",
    "geoclue",
    "gnats",
    "input",
    "irc",
    "isosmith-kiosk",
    "kmem",
    "kvm",
    "lightdm",
    "list",
    "lp",
    "mail",
    "man",
    "messagebus",
    "netdev",
    "news",
    "nobody",
    "nogroup",
    "operator",
    "plugdev",
    "polkitd",
    "proxy",
    "render",
    "root",
    "rtkit",
    "sasl",
    "sddm",
    "sgx",
    "shadow",
    "src",
    "sshd",
    "staff",
    "statd",
    "sudo",
    "sync",
    "sys",
    "tape",
    "tcpdump",
    "tss",
    "tty",
    "users",
    "utmp",
    "uucp",
    "video",
    "voice",
    "www-data",
];

fn own_name(text: &str) -> Result<UserName, Reason> {
    let name = UserName::parse(text)?;
    refuse_if(
        SYSTEM_ACCOUNTS.contains(&text) || text.starts_with("systemd-") || text.starts_with('_'),
        || {
            format!(
                "{} is an account or group of the system itself",
                quote(text)
            )
        },
        "choose another name, such as `user`",
    )?;
    Ok(name)
}

/// passwd(5): the fields of a line are separated by `:`, those of GECOS by `,`.
fn full_name(text: &str) -> Result<String, Reason> {
    one_line(text, "full name", 128)?;
    only(
        text,
        |c| c != ':' && c != ',',
        "full name",
        "characters other than `:` and `,`",
    )?;
    Ok(text.to_owned())
}

/// crypt(5): the methods that are still fit for new passwords, each with the length of its
/// hash part.
const HASHES: [(&str, usize); 6] = [
    ("$y$", 43),
    ("$gy$", 43),
    ("$7$", 43),
    ("$2b$", 53),
    ("$6$", 86),
    ("$5$", 43),
];

const MAKE_HASH: &str =
    "make a hash with `mkpasswd -m yescrypt`, or write `password = \"prompt\"` to be asked";

fn login(text: &str) -> Result<Login, Reason> {
    match text {
        "locked" => return Ok(Login::Locked),
        "prompt" => return Ok(Login::Prompt),
        _ => {}
    }
    // The text may be a password: no message repeats it.
    if !text.starts_with('$') {
        return Err(Reason::new(
            "a password in plain text could be read by everyone who has the profile or the image",
            MAKE_HASH,
        ));
    }
    let Some((prefix, length)) = HASHES.iter().find(|(prefix, _)| text.starts_with(prefix)) else {
        return Err(Reason::new(
            "the password's hash is of a kind that is unknown or too weak",
            MAKE_HASH,
        ));
    };
    let hash = text.rsplit('$').next().unwrap_or_default();
    let fits = hash.len() == *length && text.len() > prefix.len() + length && text.len() <= 512;
    let characters = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "$./=,_-".contains(c));
    match fits && characters {
        true => Ok(Login::Hash(text.to_owned())),
        false => Err(Reason::new(
            "the password's hash is damaged, perhaps because a shell took its `$` for variables",
            MAKE_HASH,
        )),
    }
}

/// sshd(8), AUTHORIZED_KEYS FILE FORMAT; options before the key are not taken.
const SSH_KINDS: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

fn ssh_key(text: &str) -> Result<String, Reason> {
    const FIX: &str = "paste the one line of a `.pub` file, such as `~/.ssh/id_ed25519.pub`";
    refuse_if(
        text.contains("PRIVATE KEY"),
        || "this is a private key, which must never leave its owner".to_owned(),
        FIX,
    )?;
    visible(text, "SSH key")?;
    let mut parts = text.split(' ');
    let kind = parts.next().unwrap_or_default();
    refuse_if(
        !SSH_KINDS.contains(&kind),
        || format!("{} does not begin with a kind of SSH key", quote(text)),
        FIX,
    )?;
    let body = parts.next().unwrap_or_default();
    let base64 = body
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c));
    refuse_if(
        body.len() < 64 || !body.len().is_multiple_of(4) || !base64 || !body.starts_with("AAAA"),
        || format!("the SSH key {} is damaged or cut off", quote(text)),
        FIX,
    )?;
    Ok(text.to_owned())
}

pub(super) fn services(at: &Place<'_>) -> Option<Services> {
    let enable = at.get("enable").names(UnitName::parse);
    let disable = at.get("disable").names(UnitName::parse);
    Some(Services {
        enable: enable?,
        disable: disable?,
    })
}

pub(super) fn files(at: &Place<'_>) -> Option<Vec<FileOverlay>> {
    at.list(|at| {
        let source = at.get("source").parse(MaterialPath::parse);
        let target = at.get("target").parse(TargetPath::parse);
        let owner = at.get("owner").parse(UserName::parse);
        let group = at.get("group").parse(GroupName::parse);
        let mode = at.get("mode").optional(mode);
        Some(FileOverlay {
            source: source?,
            target: target?,
            owner: owner?,
            group: group?,
            mode: mode?,
        })
    })
}

/// Three octal digits, with or without a leading 0; set-user-id, set-group-id and sticky
/// bits are not given out.
fn mode(text: &str) -> Result<u32, Reason> {
    let digits = text
        .strip_prefix('0')
        .filter(|rest| rest.len() == 3)
        .unwrap_or(text);
    let octal = digits.len() == 3 && digits.chars().all(|c| ('0'..='7').contains(&c));
    u32::from_str_radix(digits, 8)
        .ok()
        .filter(|_| octal)
        .ok_or_else(|| {
            Reason::new(
                format!("{} is not a file mode", quote(text)),
                "write three octal digits after a 0, such as `\"0644\"`",
            )
        })
}

pub(super) fn scripts(at: &Place<'_>) -> Option<Vec<Script>> {
    at.list(|at| {
        let point = at.get("point").parse(str::parse);
        let source = at.get("source").parse(MaterialPath::parse);
        let network = at.get("network").switch();
        if point == Some(ScriptPoint::FirstBoot) && network == Some(true) {
            at.get("network").refuse(
                "a script of the first boot has whatever network that machine has",
                "remove `network`",
            );
        }
        Some(Script {
            point: point?,
            source: source?,
            network: network?,
        })
    })
}

pub(super) fn boot(at: &Place<'_>) -> Option<Boot> {
    let bios = at.get("bios").parse(str::parse);
    let uefi = at.get("uefi").switch();
    let secure_boot = at.get("secure_boot").switch();
    let entries = at.get("entries").distinct(str::parse);
    if entries
        .as_ref()
        .is_some_and(|entries: &Vec<MenuEntry>| entries.is_empty())
    {
        at.get("entries").refuse(
            "the boot menu is empty",
            "write at least `[\"live\"]`, or leave the line out",
        );
    }
    let timeout = timeout(&at.get("timeout"));
    let serial = match at.get("serial").is_off() {
        true => Some(None),
        false => serial(&at.get("serial")).map(Some),
    };
    let parameters = at.get("parameters").distinct(parameter);
    Some(Boot {
        bios: bios?,
        uefi: uefi?,
        secure_boot: secure_boot?,
        entries: entries?,
        timeout: timeout?,
        serial: serial?,
        parameters: parameters?,
    })
}

fn timeout(at: &Place<'_>) -> Option<Option<u32>> {
    match at.text() {
        Some(_) => Some(None),
        None => at
            .number()
            .and_then(|number| u32::try_from(number).ok())
            .map(Some),
    }
}

/// Speeds that both loaders know (GRUB manual, `serial`; syslinux, SERIAL).
const SPEEDS: [i64; 8] = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];

fn serial(at: &Place<'_>) -> Option<SerialConsole> {
    let unit = at.get("unit").number();
    let speed = at.get("speed").number();
    if let Some(speed) = speed.filter(|speed| !SPEEDS.contains(speed)) {
        at.get("speed").refuse(
            format!("{speed} is not a speed of serial lines"),
            "write one of 1200, 2400, 4800, 9600, 19200, 38400, 57600 and 115200",
        );
    }
    Some(SerialConsole {
        unit: u8::try_from(unit?).ok()?,
        speed: u32::try_from(speed?).ok()?,
    })
}
