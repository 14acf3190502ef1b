//! apt sources, language, keyboard, time zone, host name, kernel modules.

use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::fs::Tree;
use serde_json::{Value, json};

use super::{in_tree, not_in_image, without_services};
use crate::{sources, state::Debian};

/// Everything that this layer writes.
pub(crate) fn inputs(state: &Debian) -> Value {
    let region = &state.spec.region;
    let keyboard = &region.keyboard;
    json!({
        "sources": sources::of_image(&state.spec),
        "keys": state.key_hashes(),
        "locales": region.locales.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "keyboard": [keyboard.model.as_str(), keyboard.layout.as_str(), keyboard.variant.as_str(), keyboard.options.as_str()],
        "timezone": region.timezone.as_str(),
        "hostname": region.hostname.as_str(),
        "blacklist": state.spec.kernel.blacklist.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// Writes them.
pub(crate) fn configure(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let root = cx.root().to_owned();
    let tree = Tree::open(&root)?;
    apt_sources(&tree, state)?;
    locales(cx, &tree, state)?;
    timezone(&tree, state)?;
    keyboard(cx, &tree, state)?;

    let hostname = &state.spec.region.hostname;
    tree.write("/etc/hostname", format!("{hostname}\n").as_bytes(), 0o644)?;
    let hosts = format!(
        "127.0.0.1\tlocalhost\n127.0.1.1\t{hostname}\n\n\
         # The following lines are desirable for IPv6 capable hosts\n\
         ::1     localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n"
    );
    tree.write("/etc/hosts", hosts.as_bytes(), 0o644)?;

    if !state.spec.kernel.blacklist.is_empty() {
        let lines: String = state
            .spec
            .kernel
            .blacklist
            .iter()
            // "install … /bin/false" stops a module that another one pulls in; see modprobe.d(5).
            .map(|module| format!("blacklist {module}\ninstall {module} /bin/false\n"))
            .collect();
        tree.write(
            "/etc/modprobe.d/isosmith-blacklist.conf",
            lines.as_bytes(),
            0o644,
        )?;
    }
    Ok(Done::Done)
}

fn apt_sources(tree: &Tree, state: &Debian) -> Result<(), Failure> {
    tree.remove("/etc/apt/sources.list")?;
    for (name, text) in sources::of_image(&state.spec) {
        tree.write(
            &format!("/etc/apt/sources.list.d/{name}"),
            text.as_bytes(),
            0o644,
        )?;
    }
    let archive = state
        .spec
        .base
        .key
        .iter()
        .zip(sources::archive_key(&state.spec));
    let kept = state
        .spec
        .base
        .repositories
        .iter()
        .filter(|repository| repository.keep);
    let kept = kept.map(|repository| (&repository.key, sources::image_key(repository)));
    for (key, to) in archive.chain(kept) {
        let from = &state.materials.get(key)?.path;
        let bytes = std::fs::read(from).map_err(|error| Failure::io_at("read", from, error))?;
        tree.write(&to, &bytes, 0o644)?;
    }
    Ok(())
}

fn locales(cx: &StepCx<'_>, tree: &Tree, state: &Debian) -> Result<(), Failure> {
    let supported = tree
        .read_text("/usr/share/i18n/SUPPORTED")?
        .unwrap_or_default();
    let mut lines = String::from("# Locales to generate; see locale-gen(8).\n");
    for (number, locale) in state.spec.region.locales.iter().enumerate() {
        let name = locale.as_str();
        // C.UTF-8 comes with libc and needs no generating.
        if matches!(name, "C.UTF-8" | "C" | "POSIX") {
            continue;
        }
        let charset = name.split(['.', '@']).nth(1).unwrap_or("ISO-8859-1");
        let line = format!("{name} {charset}");
        if !supported.lines().any(|known| known == line) {
            return Err(not_in_image(
                &format!("region.locales[{number}]"),
                &format!("{name} is not a locale of this suite"),
                "Take a name from the first column of /usr/share/i18n/SUPPORTED, such as de_DE.UTF-8.",
            ));
        }
        lines.push_str(&line);
        lines.push('\n');
    }
    tree.write("/etc/locale.gen", lines.as_bytes(), 0o644)?;
    if lines.lines().count() > 1 {
        cx.run(&in_tree("locale-gen", cx.root()))?;
    }
    if let Some(default) = state.spec.region.locales.first() {
        let text = format!("LANG={default}\n");
        // Debian 13 reads /etc/locale.conf and keeps the other name as a link to it.
        if tree.exists("/etc/locale.conf") {
            tree.write("/etc/locale.conf", text.as_bytes(), 0o644)?;
            tree.symlink("../locale.conf", "/etc/default/locale")?;
        } else {
            tree.write("/etc/default/locale", text.as_bytes(), 0o644)?;
        }
    }
    Ok(())
}

fn timezone(tree: &Tree, state: &Debian) -> Result<(), Failure> {
    let zone = state.spec.region.timezone.as_str();
    if !tree.exists(&format!("/usr/share/zoneinfo/{zone}")) {
        return Err(not_in_image(
            "region.timezone",
            &format!("{zone} is not a time zone of this suite"),
            "Take a name such as Europe/Berlin; names of before 1993 are in the package tzdata-legacy.",
        ));
    }
    tree.symlink(&format!("/usr/share/zoneinfo/{zone}"), "/etc/localtime")?;
    tree.write("/etc/timezone", format!("{zone}\n").as_bytes(), 0o644)?;
    Ok(())
}

fn keyboard(cx: &StepCx<'_>, tree: &Tree, state: &Debian) -> Result<(), Failure> {
    let keyboard = &state.spec.region.keyboard;
    let text = format!(
        "# See keyboard(5).\nXKBMODEL=\"{}\"\nXKBLAYOUT=\"{}\"\nXKBVARIANT=\"{}\"\nXKBOPTIONS=\"{}\"\n\nBACKSPACE=\"guess\"\n",
        keyboard.model, keyboard.layout, keyboard.variant, keyboard.options
    );
    tree.write("/etc/default/keyboard", text.as_bytes(), 0o644)?;
    without_services(tree, || {
        // Makes the console's keymap out of the file and takes the answers into debconf.
        cx.run(&in_tree("dpkg-reconfigure", cx.root()).args([
            "-f",
            "noninteractive",
            "keyboard-configuration",
        ]))
    })?;
    // The package falls back to its own default where a layout is unknown to it.
    let written = tree.read_text("/etc/default/keyboard")?.unwrap_or_default();
    let layout = format!("XKBLAYOUT=\"{}\"", keyboard.layout);
    if written.lines().any(|line| line == layout) {
        return Ok(());
    }
    Err(not_in_image(
        "region.keyboard.layout",
        &format!("{} is not a keyboard layout of this suite", keyboard.layout),
        "Take a name from xkeyboard-config(7), such as de or us.",
    ))
}
