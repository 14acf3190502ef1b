//! Which programs matter, and as what.

use isosmith_protocol::{SessionKind, Watched, WatchedItem};

use crate::processes::{Identity, Stat, Table};

/// Whose process counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Anybody's: there is one for the machine.
    Anybody,
    /// The person's own.
    Person,
    /// The person's own, or root's for them: a display server that needs root's rights.
    PersonOrRoot,
    /// The system's bus, or one of the person's.
    Bus,
    /// Below a launcher that counts.
    BelowBus,
}

struct Program {
    /// As the kernel has it, at most 15 bytes.
    name: &'static str,
    /// As people know it, where the kernel's is cut off or odd.
    shown: &'static str,
    what: Watched,
    whose: Whose,
}

const fn program(name: &'static str, what: Watched, whose: Whose) -> Program {
    Program {
        name,
        shown: name,
        what,
        whose,
    }
}

const fn shown(name: &'static str, shown: &'static str, what: Watched, whose: Whose) -> Program {
    Program {
        name,
        shown,
        what,
        whose,
    }
}

const PROGRAMS: &[Program] = {
    use Watched::{DisplayManager, LoginManager, MessageBus, Network, Session, UserManager};
    use Whose::{Anybody, BelowBus, Bus, Person, PersonOrRoot};
    &[
        program("gdm3", DisplayManager, Anybody),
        program("gdm", DisplayManager, Anybody),
        program("sddm", DisplayManager, Anybody),
        program("lightdm", DisplayManager, Anybody),
        program("lxdm", DisplayManager, Anybody),
        shown("lxdm-binary", "lxdm", DisplayManager, Anybody),
        program("xdm", DisplayManager, Anybody),
        program("greetd", DisplayManager, Anybody),
        program("slim", DisplayManager, Anybody),
        program("NetworkManager", Network, Anybody),
        shown("systemd-network", "systemd-networkd", Network, Anybody),
        program("wpa_supplicant", Network, Anybody),
        program("dhcpcd", Network, Anybody),
        shown("connmand", "connman", Network, Anybody),
        program("iwd", Network, Anybody),
        program("dbus-daemon", MessageBus, Bus),
        shown("dbus-broker-lau", "dbus-broker-launch", MessageBus, Bus),
        program("dbus-broker", MessageBus, BelowBus),
        program("systemd-logind", LoginManager, Anybody),
        program("elogind", LoginManager, Anybody),
        shown("elogind-daemon", "elogind", LoginManager, Anybody),
        shown("systemd", "systemd --user", UserManager, Person),
        // Xwayland is not among them: it comes and goes with the programs that need it.
        program("Xorg", Session, PersonOrRoot),
        program("X", Session, PersonOrRoot),
        program("gnome-shell", Session, Person),
        shown("gnome-session-b", "gnome-session", Session, Person),
        program("kwin_wayland", Session, Person),
        program("kwin_x11", Session, Person),
        program("plasmashell", Session, Person),
        program("ksmserver", Session, Person),
        program("xfce4-session", Session, Person),
        program("xfwm4", Session, Person),
        program("mate-session", Session, Person),
        program("cinnamon", Session, Person),
        shown("cinnamon-sessio", "cinnamon-session", Session, Person),
        program("lxqt-session", Session, Person),
        program("lxsession", Session, Person),
        program("openbox", Session, Person),
        program("labwc", Session, Person),
        program("sway", Session, Person),
        program("Hyprland", Session, Person),
        program("weston", Session, Person),
        program("Xvnc", Session, Person),
    ]
};

/// A process that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub item: WatchedItem,
    pub identity: Identity,
}

/// Every process that counts for the person `uid`, in the order of their numbers.
pub fn find(table: &Table, uid: u32) -> Vec<Found> {
    table
        .all()
        .filter_map(|stat| {
            let program = PROGRAMS.iter().find(|it| it.name == stat.name)?;
            counts(table, stat, program, uid).then(|| found(stat, program.what, program.shown))
        })
        .collect()
}

pub fn found(stat: &Stat, what: Watched, name: &str) -> Found {
    Found {
        item: WatchedItem {
            what,
            name: name.to_owned(),
            pid: Some(stat.identity.pid),
        },
        identity: stat.identity,
    }
}

fn counts(table: &Table, stat: &Stat, program: &Program, uid: u32) -> bool {
    let parent = table.parent(stat);
    // A program's own children come and go, such as lightdm's one for each login.
    let below_its_like = parent.is_some_and(|parent| parent.name == stat.name);
    let of_the_manager = program.what == Watched::UserManager;
    if below_its_like && !of_the_manager {
        return false;
    }
    let Some(owner) = table.owner(stat).filter(|owner| !owner.contained) else {
        return false;
    };
    match program.whose {
        Whose::Anybody => true,
        Whose::Person if of_the_manager => owner.uid == uid && table.has_word(stat, "--user"),
        Whose::Person => owner.uid == uid,
        Whose::PersonOrRoot => owner.uid == uid || owner.uid == 0,
        Whose::Bus => is_bus(table, stat, owner.uid == uid),
        Whose::BelowBus => parent.is_some_and(|parent| is_bus(table, parent, owner.uid == uid)),
    }
}

/// `dbus-daemon --system`, `dbus-broker-launch --scope system`, or a bus of the person's.
fn is_bus(table: &Table, stat: &Stat, of_the_person: bool) -> bool {
    of_the_person || table.has_word(stat, "--system") || table.has_word(stat, "system")
}

/// What a machine whose login manager keeps no record says about the person's session: its
/// kind, and what it ends with beside what [`find`] finds.
pub fn guess(table: &Table, uid: u32, found: &[Found]) -> (SessionKind, Vec<Found>) {
    let desktop = found.iter().any(|found| {
        let process = table.get(found.identity.pid);
        let owner = process.and_then(|stat| table.owner(stat));
        found.item.what == Watched::Session && owner.is_some_and(|owner| owner.uid == uid)
    });
    if desktop {
        return (SessionKind::Graphical, Vec::new());
    }
    let of_the_person = |stat: &&Stat| {
        let owner = table.owner(stat);
        owner.is_some_and(|owner| owner.uid == uid && !owner.contained)
    };
    let remote: Vec<_> = table
        .all()
        .filter(|stat| serves_a_login(table, stat))
        .filter(of_the_person)
        .map(|stat| self::found(stat, Watched::Session, &stat.name))
        .collect();
    if !remote.is_empty() {
        return (SessionKind::Ssh, remote);
    }
    let consoles: Vec<_> = table
        .all()
        .filter(|stat| is_console(stat.terminal) && stat.session == stat.identity.pid)
        .filter(of_the_person)
        .map(|stat| self::found(stat, Watched::Session, &stat.name))
        .collect();
    let kind = if consoles.is_empty() {
        SessionKind::None
    } else {
        SessionKind::Console
    };
    (kind, consoles)
}

/// The part of OpenSSH's server that runs as the person who logged in. It is a child of the
/// part that keeps root's rights; both have a name of their own since OpenSSH 9.8.
fn serves_a_login(table: &Table, stat: &Stat) -> bool {
    let server = |stat: &Stat| matches!(stat.name.as_str(), "sshd" | "sshd-session");
    server(stat) && table.parent(stat).is_some_and(server)
}

/// A virtual console or a serial line: major number 4 (`Documentation/admin-guide/devices.txt`
/// of Linux), which proc_pid_stat(5) puts into bits 8 to 15. tty0 is whichever is in front.
fn is_console(terminal: u32) -> bool {
    let major = (terminal >> 8) & 0xfff;
    let minor = (terminal & 0xff) | ((terminal >> 12) & 0xfff00);
    major == 4 && minor != 0
}
