//! What a build will do, in plain words and as a command line.

mod choices;

use isosmith_protocol::{ErrorMode, Manner, Pace, Phase, StepId, StepInfo};
use isosmith_spec::{
    BuildSpec,
    model::{BiosLoader, Compression, KernelFlavour, LiveUser, Login, Mirror, SudoPolicy, Suite},
};
use toml_edit::DocumentMut;

use crate::{Checked, draft::toml, model::Plan};

/// The parts of a build with the shares that their steps have together.
const PHASES: [(Phase, &str, u32); 6] = [
    (Phase::Environment, "environment", 35),
    (Phase::BaseSystem, "base-system", 21),
    (Phase::Desktop, "desktop", 26),
    (Phase::Integration, "integration", 23),
    (Phase::Installer, "installer", 2),
    (Phase::Iso, "iso", 47),
];

/// What a build of a draft into `folder` will do.
pub fn plan(draft: &Checked, folder: &str, manner: Manner) -> Plan {
    let installs = draft.spec.installer.calamares;
    let phases = PHASES
        .into_iter()
        .filter(|(phase, _, _)| installs || *phase != Phase::Installer);
    let signs = u32::from(draft.spec.security.signing.is_some());
    let share = |phase, weight| match phase {
        Phase::Iso => weight + signs,
        Phase::Environment
        | Phase::BaseSystem
        | Phase::Desktop
        | Phase::Integration
        | Phase::Installer
        | Phase::Other => weight,
    };
    let steps = phases.map(|(phase, id, weight)| StepInfo {
        id: StepId::new(id),
        title: phase.title().to_owned(),
        phase,
        weight: share(phase, weight),
        cached: false,
    });
    Plan {
        lines: lines(draft, folder),
        command: command(draft, folder, manner),
        steps: steps.collect(),
    }
}

fn lines(draft: &Checked, folder: &str) -> Vec<String> {
    let spec = &draft.spec;
    let mut lines = vec![base(spec)];
    lines.extend(choices::desktop(&spec.desktop));
    lines.extend([software(spec), kernel(spec), region(spec), users(spec)]);
    lines.extend(choices::security(&spec.security));
    lines.extend(spec.assistant.as_ref().map(choices::assistant));
    lines.extend(additions(spec));
    lines.extend(choices::installer(&spec.installer));
    lines.push(boot(spec));
    lines.push(branding(draft));
    lines.push(image(spec, folder));
    lines
}

fn base(spec: &BuildSpec) -> String {
    let base = &spec.base;
    let system = match base.suite {
        Suite::Bookworm => "Debian 12 “bookworm”",
        Suite::Trixie => "Debian 13 “trixie”",
        Suite::Forky => "Debian 14 “forky”, which is still in preparation,",
        Suite::Sid => "Debian unstable “sid”",
    };
    let from = match (&base.snapshot, base.mirrors.first()) {
        (Some(snapshot), _) => format!("as it was at {}", snapshot.time),
        (None, Some(Mirror::At(uri))) => format!("from {uri}"),
        (None, Some(Mirror::Auto) | None) => "from this machine's usual mirror".to_owned(),
    };
    let fixes = match (base.security.is_some(), base.updates) {
        (true, true) => ", with security fixes and updates",
        (true, false) => ", with security fixes",
        (false, true) => ", with updates",
        (false, false) => "",
    };
    let more = match base.repositories.len() {
        0 => String::new(),
        1 => format!(" and the repository {}", base.repositories[0].name),
        count => format!(" and {count} further repositories"),
    };
    format!("{system} for 64-bit PCs is loaded {from}{more}{fixes}.")
}

fn software(spec: &BuildSpec) -> String {
    let software = &spec.software;
    let with = match software.recommends {
        true => "with what they depend on and recommend",
        false => "with what they depend on",
    };
    let mut text = format!(
        "{} installed on top, {with}",
        count(software.packages.len(), "package is", "packages are")
    );
    if !software.debs.is_empty() {
        let debs = count(software.debs.len(), "package file", "package files");
        text.push_str(&format!("; {debs} of your own"));
    }
    if !software.exclude.is_empty() {
        let names: Vec<_> = software.exclude.iter().map(ToString::to_string).collect();
        text.push_str(&format!("; never {}", list(&names)));
    }
    text + "."
}

fn kernel(spec: &BuildSpec) -> String {
    let flavour = match spec.kernel.flavour {
        KernelFlavour::Stable => "Debian's kernel",
        KernelFlavour::Backports => "The newer kernel from backports",
        KernelFlavour::Rt => "The real-time kernel",
        KernelFlavour::Cloud => "The kernel for virtual machines",
    };
    let sets: Vec<_> = spec
        .kernel
        .firmware
        .iter()
        .map(ToString::to_string)
        .collect();
    match sets.is_empty() {
        true => format!("{flavour}, without firmware for devices."),
        false => format!("{flavour}, with firmware: {}.", list(&sets)),
    }
}

fn region(spec: &BuildSpec) -> String {
    let region = &spec.region;
    let language = region
        .locales
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    format!(
        "Language {language}, keyboard {}, time zone {}, host name {}.",
        region.keyboard.layout, region.timezone, region.hostname
    )
}

fn users(spec: &BuildSpec) -> String {
    let root = match &spec.users.root {
        Login::Locked => "Root cannot log in.",
        Login::Hash(_) => "Root has a password.",
        Login::Prompt => "Root's password is asked for before the build.",
    };
    let live = spec.users.live.as_ref().map_or_else(
        || "Nobody is logged in by itself, there is no user.".to_owned(),
        live,
    );
    let accounts = choices::accounts(&spec.users.accounts);
    format!("{live} {root}{accounts}")
}

fn live(user: &LiveUser) -> String {
    let login = match (&user.password, user.autologin) {
        (_, true) => "is logged in by itself",
        (Login::Locked, false) => "has no password to log in with",
        (Login::Hash(_), false) => "logs in with a password",
        (Login::Prompt, false) => "logs in with a password that is asked for before the build",
    };
    let sudo = match user.sudo {
        SudoPolicy::NoPassword => "and may do everything",
        SudoPolicy::Password => "and may do everything with the password",
        SudoPolicy::None => "and may not administer the system",
    };
    format!("The user “{}” {login} {sudo}.", user.name)
}

fn additions(spec: &BuildSpec) -> Option<String> {
    let parts = [
        (spec.files.len(), "file or folder", "files or folders"),
        (spec.scripts.len(), "script", "scripts"),
        (
            spec.services.enable.len(),
            "service switched on",
            "services switched on",
        ),
        (
            spec.services.disable.len(),
            "service switched off",
            "services switched off",
        ),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, _, _)| *number > 0)
        .map(|(number, one, many)| count(number, one, many))
        .collect();
    (!parts.is_empty()).then(|| format!("Besides: {}.", list(&parts)))
}

fn boot(spec: &BuildSpec) -> String {
    let boot = &spec.boot;
    let bios = match boot.bios {
        BiosLoader::Isolinux => Some("BIOS machines (ISOLINUX)".to_owned()),
        BiosLoader::Grub => Some("BIOS machines (GRUB)".to_owned()),
        BiosLoader::None => None,
    };
    let uefi = boot.uefi.then(|| match boot.secure_boot {
        true => "UEFI machines, Secure Boot included".to_owned(),
        false => "UEFI machines without Secure Boot".to_owned(),
    });
    let ways: Vec<String> = bios.into_iter().chain(uefi).collect();
    let wait = match boot.timeout {
        Some(seconds) => format!(
            "the first starts by itself after {}",
            count(seconds as usize, "second", "seconds")
        ),
        None => "it waits for a choice".to_owned(),
    };
    let entries = count(boot.entries.len(), "entry", "entries");
    let enrols = match spec.security.signing {
        Some(_) => ", and under UEFI one that enrols your key",
        None => "",
    };
    format!(
        "It starts on {}. The menu has {entries}{enrols}; {wait}.",
        list(&ways)
    )
}

fn branding(draft: &Checked) -> String {
    let branding = &draft.spec.branding;
    let pictures: Vec<String> = [
        (branding.logo.is_some(), "your logo"),
        (branding.wallpaper.is_some(), "your wallpaper"),
        (!branding.slides.is_empty(), "your slides"),
    ]
    .into_iter()
    .filter(|(there, _)| *there)
    .map(|(_, what)| what.to_owned())
    .collect();
    match pictures.is_empty() {
        true => format!("It is called “{}”.", draft.title()),
        false => format!(
            "It is called “{}” and shows {}.",
            draft.title(),
            list(&pictures)
        ),
    }
}

fn image(spec: &BuildSpec, folder: &str) -> String {
    let image = &spec.image;
    let packed = match image.compression {
        Compression::Zstd(level) => format!("zstd, level {level}"),
        Compression::Xz => "xz, small and slow".to_owned(),
        Compression::Gzip(level) => format!("gzip, level {level}"),
        Compression::Lz4(true) => "lz4 with high compression".to_owned(),
        Compression::Lz4(false) => "lz4, large and fast".to_owned(),
        Compression::Lzo(level) => format!("lzo, level {level}"),
    };
    let sums: Vec<String> = image
        .checksums
        .iter()
        .map(|checksum| checksum.as_str().to_uppercase().replace("SHA", "SHA-"))
        .collect();
    let beside = match sums.is_empty() {
        true => String::new(),
        false => format!(", with {} beside it", list(&sums)),
    };
    format!(
        "It is packed with {packed} and written to {}/{}{beside}.",
        folder.trim_end_matches('/'),
        image.file_name
    )
}

/// The same build in a terminal. What is not in a file is given with `--set`.
fn command(draft: &Checked, folder: &str, manner: Manner) -> String {
    let mut words = vec!["isosmith".to_owned(), "build".to_owned()];
    let path = draft.path.as_ref().and_then(|path| path.to_str());
    match (path, &draft.extends) {
        (Some(path), _) if draft.is_saved => words.push(path.to_owned()),
        (_, Some(parent)) => {
            words.push(parent.clone());
            words.extend(assignments(draft));
        }
        (Some(path), None) => words.push(path.to_owned()),
        (None, None) => words.push(format!("{}.toml", draft.spec.profile.name)),
    }
    for (path, value) in &draft.from_window {
        words.extend(["--set".to_owned(), format!("{path}={value}")]);
    }
    words.extend(["--output".to_owned(), folder.to_owned()]);
    match manner.errors {
        ErrorMode::Graceful => {}
        ErrorMode::Strict => words.push("--strict".to_owned()),
        ErrorMode::Permissive => words.push("--permissive".to_owned()),
    }
    if manner.pace != Pace::default() {
        words.extend(["--pace".to_owned(), manner.pace.to_string()]);
    }
    if let Some(limit) = manner.cache_limit {
        words.extend(["--cache-limit".to_owned(), limit.gigabytes().to_string()]);
    }
    // Nothing here can hold the one character that a shell cannot be given.
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}

/// `--set FIELD=VALUE` for all that the draft's own text says.
fn assignments(draft: &Checked) -> Vec<String> {
    let Ok(doc) = draft.own.parse::<DocumentMut>() else {
        return Vec::new();
    };
    let parent = draft.extends.as_deref().unwrap_or_default();
    let mut words = Vec::new();
    for path in toml::paths(&doc) {
        let value = toml::at(&doc, &path).and_then(toml::json);
        let Some(value) = value else { continue };
        if path == "profile.name" && value == parent {
            continue;
        }
        words.extend([
            "--set".to_owned(),
            format!("{path}={}", toml::inline(&value)),
        ]);
    }
    words
}

fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        0 => format!("No {many}"),
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}
