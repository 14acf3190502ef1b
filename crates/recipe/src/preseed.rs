//! Answers for Debian's own installer.
//!
//! The names of questions are those of the installation guide, appendix B, and of the
//! components' templates.

use isosmith_spec::model::{BuildSpec, DebconfAnswer, Encryption, Filesystem, Swap};

/// Answers from the spec. Not answered are those that only the person at the machine can
/// answer: which disk, whose name and password, and a passphrase.
pub(crate) fn preseed(spec: &BuildSpec) -> String {
    let region = &spec.region;
    let mut lines = Vec::new();
    let mut say = |question: &str, kind: &str, value: &str| {
        lines.push(format!("d-i {question} {kind} {value}\n"));
    };
    let mut locales = region.locales.iter().map(ToString::to_string);
    let first = locales.next().unwrap_or_else(|| "C.UTF-8".to_owned());
    say("debian-installer/locale", "string", &first);
    let others: Vec<String> = locales.collect();
    if !others.is_empty() {
        say(
            "localechooser/supported-locales",
            "multiselect",
            &others.join(", "),
        );
    }
    say(
        "keyboard-configuration/xkb-keymap",
        "select",
        &keymap(
            region.keyboard.layout.as_str(),
            region.keyboard.variant.as_str(),
        ),
    );
    // The system has the firmware that the profile gave it.
    say("hw-detect/firmware-lookup", "string", "never");
    say("hw-detect/load_firmware", "boolean", "false");
    say("clock-setup/utc", "boolean", "true");
    // There may be no network; the installed system asks for the time by itself.
    say("clock-setup/ntp", "boolean", "false");
    say("time/zone", "string", region.timezone.as_str());
    say("passwd/root-login", "boolean", "false");
    say("passwd/make-user", "boolean", "true");
    disk(spec, &mut say);
    // What the profile's owner answers comes last, and so counts.
    for answer in own_answers(spec) {
        say(answer.question.as_str(), &answer.kind, &answer.value);
    }
    format!("# Made by Isosmith from the profile.\n{}", lines.concat())
}

/// The owner of the installer's questions (installation guide, B.4), which no package has.
pub(crate) const OWNER: &str = "d-i";

fn own_answers(spec: &BuildSpec) -> impl Iterator<Item = &DebconfAnswer> {
    let all = spec.software.debconf.iter();
    all.filter(|answer| answer.package.as_str() == OWNER)
}

/// `layout(variant)`, as console-setup's list has it.
fn keymap(layout: &str, variant: &str) -> String {
    if variant.is_empty() {
        layout.to_owned()
    } else {
        format!("{layout}({variant})")
    }
}

fn disk(spec: &BuildSpec, say: &mut impl FnMut(&str, &str, &str)) {
    let installer = &spec.installer;
    let filesystem = match installer.filesystem {
        Filesystem::Ext4 => "ext4",
        Filesystem::Btrfs => "btrfs",
        Filesystem::Xfs => "xfs",
    };
    say("partman/default_filesystem", "string", filesystem);
    match installer.encryption {
        Encryption::Preselected => say("partman-auto/method", "string", "crypto"),
        Encryption::Offered => {}
        Encryption::Hidden => say("partman-auto/method", "string", "regular"),
    }
    let recipe = recipe(installer.swap, filesystem);
    say("partman-auto/expert_recipe", "string", &recipe);
    // A file for swap is refused by the checker; the partitioner knows none.
    if matches!(installer.swap, Swap::None | Swap::File) {
        say("partman-basicfilesystems/no_swap", "boolean", "false");
    }
}

/// A recipe of partman-auto (its `partman-auto-recipe.txt`): sizes in MB or percents of the
/// memory: least, priority, most. `/boot` is apart because GRUB cannot read all that may hold
/// the root; the boot loaders' own parts appear where the machine needs them.
fn recipe(swap: Swap, filesystem: &str) -> String {
    let mut parts = vec![
        "1 1 1 free $iflabel{ gpt } $reusemethod{ } method{ biosgrub } .".to_owned(),
        "512 512 512 fat32 $iflabel{ gpt } $reusemethod{ } method{ efi } format{ } .".to_owned(),
        "1024 1024 1024 ext4 $primary{ } $bootable{ } $defaultignore{ } method{ format } format{ } use_filesystem{ } filesystem{ ext4 } mountpoint{ /boot } .".to_owned(),
        format!("4000 10000 -1 {filesystem} $lvmok{{ }} method{{ format }} format{{ }} use_filesystem{{ }} filesystem{{ {filesystem} }} mountpoint{{ / }} ."),
    ];
    let size = match swap {
        Swap::None | Swap::File => None,
        Swap::Small => Some("512 2000 4000"),
        Swap::Suspend => Some("100% 2000 110%"),
    };
    if let Some(size) = size {
        parts.push(format!(
            "{size} linux-swap $lvmok{{ }} $reusemethod{{ }} method{{ swap }} format{{ }} ."
        ));
    }
    format!("isosmith :: {}", parts.join(" "))
}

#[cfg(test)]
mod tests {
    use isosmith_spec::{Layer, Origin};

    use super::*;

    fn answers(text: &str) -> String {
        let text = format!("format = 1\n[profile]\nname = \"demo\"\n{text}");
        let layer = Layer::new(Origin::Profile("demo".into()), "", text);
        let (spec, _) = isosmith_spec::load(vec![layer], &|_| None).expect("a good profile");
        preseed(&spec)
    }

    #[test]
    fn fields_become_answers() {
        for (text, part) in [
            (
                "[region]\ntimezone = \"Asia/Tokyo\"",
                "time/zone string Asia/Tokyo",
            ),
            (
                "[region]\nlocales = [\"de_DE.UTF-8\"]",
                "locale string de_DE.UTF-8",
            ),
            (
                "[region.keyboard]\nlayout = \"de\"\nvariant = \"nodeadkeys\"",
                "select de(nodeadkeys)",
            ),
            (
                "[installer]\ndebian = true\n[[software.debconf]]\npackage = \"d-i\"\nquestion = \"partman/confirm\"\nkind = \"boolean\"\nvalue = \"true\"",
                "partman/confirm boolean true",
            ),
            (
                "[installer]\nfilesystem = \"xfs\"",
                "default_filesystem string xfs",
            ),
            (
                "[installer]\nswap = \"suspend\"",
                "100% 2000 110% linux-swap",
            ),
            ("[installer]\nswap = \"none\"", "no_swap boolean false"),
            (
                "[installer]\nencryption = \"preselected\"",
                "method string crypto",
            ),
            (
                "[installer]\nencryption = \"hidden\"",
                "method string regular",
            ),
        ] {
            assert!(!answers("").contains(part), "{part} without {text}");
            assert!(
                answers(text).contains(part),
                "{part} with {text}:\n{}",
                answers(text)
            );
        }
    }
}
