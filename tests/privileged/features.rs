//! What a profile says, read back from the finished ISO.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use isosmith_tests::{
    Archive, Dates, Ended, Kit, Signing, Small,
    kit::{output, set_mode},
    made::Made,
};
use libtest_mimic::Trial;

use super::trial;

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "features::are_in_the_image", in_the_image),
        trial(kit, "features::uefi_without_bios", uefi_only),
        trial(
            kit,
            "features::names_that_the_image_has_not_got",
            not_in_image,
        ),
    ]
}

const PROFILE: &str = r##"
[region]
locales = ["de_DE.UTF-8"]
timezone = "Europe/Berlin"
hostname = "smithy"
[region.keyboard]
layout = "de"
[users.live]
name = "ada"
full_name = "Ada d'Example"
password = "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g."
groups = ["audio"]
sudo = "password"
[users.root]
password = "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g."
[services]
enable = ["one.service", "own.service"]
disable = ["two.service"]
[kernel]
blacklist = ["pcspkr"]
cmdline = ["mitigations=auto"]
[ai]
interface = "openai"
endpoint = "https://ai.example.org/v1"
model = "small:1b"
[branding.urls]
home = "https://example.org/"
[image]
compression = "gzip:1"
label = "SMALL_FEATURES"
file_name = "{id}-{suite}.iso"
checksums = ["sha256", "sha512", "md5"]
[[files]]
source = "secret"
target = "/etc/overlay/secret"
group = "shadow"
mode = "0640"
[[files]]
source = "folder"
target = "/usr/share/overlay"
[[files]]
source = "own.service"
target = "/usr/lib/systemd/system/own.service"
[[scripts]]
point = "after-base"
source = "after-base"
[[scripts]]
point = "after-packages"
source = "after-packages"
[[scripts]]
point = "before-image"
source = "before-image"
[[scripts]]
point = "first-boot"
source = "first-boot"
"##;

/// Says where it ran and what was there by then.
fn point(name: &str) -> String {
    format!(
        "#!/bin/sh\nset -e\nmkdir -p /var/lib/points\n\
         {{ dpkg-query -W -f '${{Status}}' asker 2>/dev/null || echo none; [ -e /boot/initrd.img-6.0-test ] && echo initrd; id -u; }} > /var/lib/points/{name}\n"
    )
}

fn in_the_image(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("features")?;
    let folder = scratch.path();
    let asker = Made::new("asker", "1")
        .field("Depends: debconf")
        .field("Recommends: unwanted, welcome")
        .script("templates", "Template: asker/colour\nType: string\nDefault: grey\nDescription: Which colour?\n")
        .script("config", "#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_input high asker/colour || true\ndb_go\n")
        .script("postinst", "#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_get asker/colour\necho \"$RET\" > /etc/asker\n");
    // As live-tools does, which comes with live-boot wherever Recommends are wanted.
    let wrapper = Made::new("welcome", "1")
        .script("preinst", "#!/bin/sh\nset -e\ndpkg-divert --quiet --add --rename --package welcome --divert /usr/sbin/update-initramfs.orig /usr/sbin/update-initramfs\n")
        .file("/usr/sbin/update-initramfs", "#!/bin/sh\necho this machine is no live system >&2\nexit 1\n", 0o755);
    let small = Small::serve(
        kit,
        folder,
        &[
            asker,
            Made::new("unwanted", "1"),
            wrapper,
            Made::new("ca-certificates", "1"),
        ],
    )?;
    Made::new("localtool", "2:1.0")
        .file("/usr/bin/localtool", "#!/bin/sh\n", 0o755)
        .build(folder)?;
    fs::rename(
        folder.join("localtool_2:1.0_all.deb"),
        folder.join("localtool.deb"),
    )?;

    let mut extra = Archive::new(
        &folder.join("www/extra"),
        "stable",
        &kit.root.join("more-keys"),
    )?;
    extra.add(
        &Made::new("from-extra", "7")
            .file("/usr/share/from-extra", "extra\n", 0o644)
            .build(folder)?,
    )?;
    extra.publish(Dates::default(), Signing::Own)?;
    fs::copy(extra.key(), folder.join("extra.asc"))?;

    fs::write(folder.join("secret"), "hush\n")?;
    fs::write(
        folder.join("own.service"),
        "[Unit]\nDescription=Own\n[Install]\nWantedBy=multi-user.target\n",
    )?;
    fs::create_dir_all(folder.join("folder/deep"))?;
    fs::write(folder.join("folder/deep/tool"), "#!/bin/sh\n")?;
    set_mode(&folder.join("folder/deep/tool"), 0o700)?;
    std::os::unix::fs::symlink("deep/tool", folder.join("folder/link"))?;
    for name in ["after-base", "after-packages", "before-image", "first-boot"] {
        fs::write(folder.join(name), point(name))?;
    }
    let more = format!(
        "{PROFILE}\n[[base.repositories]]\nname = \"extra\"\nuri = \"http://127.0.0.1:{}/extra\"\nsuite = \"stable\"\ncomponents = [\"main\"]\nkey = \"extra.asc\"\n",
        small.server.port()
    );
    let profile = small.profile_with("features", "", &["asker", "from-extra"], &more)?;
    let software = "recommends = true\nexclude = [\"unwanted\"]\ndebs = [\"localtool.deb\"]\n\
                    debconf = [{ package = \"asker\", question = \"asker/colour\", kind = \"string\", value = \"deep green\" }]\n[boot]";
    let text = fs::read_to_string(&profile)?.replacen("[boot]", software, 1);
    fs::write(&profile, text)?;

    let isosmith = kit.isosmith(folder);
    let ended = isosmith.build(&profile)?;
    let iso = ended.iso()?;
    ensure!(
        iso.file_name()
            .is_some_and(|name| name == "features-trixie.iso"),
        "{}",
        iso.display()
    );
    let tree = unpack(&iso, folder)?;
    let wrong = compare(&tree, folder)?;
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    beside(&iso, &ended)
}

/// Every way in which the tree is not what the profile says.
fn compare(tree: &Path, folder: &Path) -> Result<Vec<String>> {
    let text = |path: &str| {
        fs::read_to_string(tree.join(path.trim_start_matches('/')))
            .unwrap_or_else(|error| format!("<{error}>"))
    };
    let there = |path: &str| fs::symlink_metadata(tree.join(path.trim_start_matches('/'))).is_ok();
    let mut wrong = Vec::new();
    for (path, want) in [
        ("/etc/asker", "deep green\n"),
        ("/usr/share/from-extra", "extra\n"),
        ("/etc/overlay/secret", "hush\n"),
        ("/etc/hostname", "smithy\n"),
        ("/etc/timezone", "Europe/Berlin\n"),
        ("/etc/machine-id", ""),
        ("/var/lib/points/after-base", "none\n0\n"),
        ("/var/lib/points/after-packages", "install ok installed0\n"),
        ("/var/lib/points/before-image", "install ok installed0\n"),
        ("/var/lib/initramfs-made", "made 6.0-test\n"),
        ("/usr/lib/locale/made", "de_DE.UTF-8 UTF-8\n"),
    ] {
        let found = text(path);
        if found != want {
            wrong.push(format!("{path} is {found:?}, not {want:?}"));
        }
    }
    for (path, want) in [
        ("/usr/lib/os-release", "ID=features\n"),
        ("/usr/lib/os-release", "HOME_URL=\"https://example.org/\"\n"),
        (
            "/etc/modprobe.d/isosmith-blacklist.conf",
            "blacklist pcspkr\n",
        ),
        ("/etc/default/keyboard", "XKBLAYOUT=\"de\"\n"),
        ("/etc/shadow", "root:$6$salt$"),
        (
            "/etc/live/config.conf.d/isosmith.conf",
            "LIVE_USERNAME=\"ada\"\n",
        ),
        ("/etc/sudoers.d/live", "ada ALL=(ALL:ALL) ALL\n"),
        ("/etc/apt/sources.list.d/extra.sources", "Suites: stable\n"),
        ("/etc/apt/keyrings/extra.asc", "BEGIN PGP PUBLIC KEY BLOCK"),
        (
            "/usr/lib/isosmith/first-boot.d/00",
            "/var/lib/points/first-boot",
        ),
        ("/var/lib/dpkg/status", "Package: localtool\n"),
        ("/var/lib/dpkg/status", "Package: welcome\n"),
        ("/var/lib/dpkg/status", "Package: ca-certificates\n"),
        (
            "/var/lib/dpkg/status",
            "Package: isosmith-ai-helper\nStatus: install ok installed\n",
        ),
        ("/var/lib/dpkg/status", "\n /etc/isosmith-ai/config.toml "),
        ("/etc/isosmith-ai/config.toml", "interface = \"openai\"\n"),
        (
            "/etc/isosmith-ai/config.toml",
            "endpoint = \"https://ai.example.org/v1\"\nmodel = \"small:1b\"\n",
        ),
        (
            "/usr/share/applications/org.isosmith.Ai.desktop",
            "Exec=ai chat --wait\n",
        ),
    ] {
        let found = text(path);
        if !found.contains(want) {
            wrong.push(format!("{path} has no {want:?}: {found:.400}"));
        }
    }
    for path in [
        "/etc/resolv.conf",
        "/usr/sbin/policy-rc.d",
        "/usr/sbin/update-initramfs.distrib",
        "/var/lib/dpkg/status-old",
        "/run/isosmith",
        "/etc/systemd/system/multi-user.target.wants/two.service",
        "/etc/apt/sources.list",
        "/var/lib/points/first-boot",
        // The medium has it beside the tree, where the loader reads it.
        "/boot/initrd.img-6.0-test",
    ] {
        if there(path) {
            wrong.push(format!("{path} is there"));
        }
    }
    for path in [
        "/etc/systemd/system/multi-user.target.wants/one.service",
        "/etc/systemd/system/multi-user.target.wants/own.service",
        "/usr/bin/localtool",
        "/usr/share/icons/hicolor/scalable/apps/isosmith-ai.svg",
        "/usr/share/man/man1/ai.1.gz",
        "/boot/vmlinuz-6.0-test",
    ] {
        if !there(path) {
            wrong.push(format!("{path} is not there"));
        }
    }
    if text("/var/lib/dpkg/status").contains("Package: unwanted\n") {
        wrong.push("a package that was left out is installed".to_owned());
    }
    for (path, mode, group) in [
        ("etc/overlay/secret", 0o640, 42),
        ("usr/share/overlay/deep/tool", 0o755, 0),
        ("usr/share/overlay/deep", 0o755, 0),
        ("etc/shadow", 0o640, 42),
        ("etc/sudoers.d/live", 0o440, 0),
        ("usr/bin/ai", 0o755, 0),
        ("etc/isosmith-ai", 0o755, 0),
        ("etc/isosmith-ai/config.toml", 0o644, 0),
        ("tmp", 0o1777, 0),
        ("", 0o755, 0),
    ] {
        let meta = fs::symlink_metadata(tree.join(path))
            .with_context(|| format!("{path} is not there"))?;
        let found = (meta.permissions().mode() & 0o7777, meta.uid(), meta.gid());
        if found != (mode, 0, group) {
            wrong.push(format!(
                "/{path} is {:o} of {}:{}, not {mode:o} of 0:{group}",
                found.0, found.1, found.2
            ));
        }
    }
    // Nothing tells where it was built.
    let needle = folder.display().to_string();
    let grep = Command::new("grep")
        .args(["-rlF", &needle])
        .arg(tree)
        .output()?;
    if grep.status.success() {
        wrong.push(format!(
            "the build's folder is named in: {}",
            String::from_utf8_lossy(&grep.stdout)
        ));
    }
    Ok(wrong)
}

/// Checksums and manifest lie beside the ISO and are right.
fn beside(iso: &Path, ended: &Ended) -> Result<()> {
    let folder = iso.parent().context("no folder")?;
    for (ending, program) in [
        ("sha256", "sha256sum"),
        ("sha512", "sha512sum"),
        ("md5", "md5sum"),
    ] {
        output(Command::new(program).current_dir(folder).args([
            "--check",
            "--strict",
            &format!("features-trixie.iso.{ending}"),
        ]))?;
    }
    let manifest = fs::read_to_string(folder.join("features-trixie.iso.manifest"))?;
    for line in ["from-extra\t7\t", "base-files\t", "asker\t1\t"] {
        ensure!(manifest.contains(line), "the manifest has no {line:?}");
    }
    ensure!(
        manifest.contains("localtool\t"),
        "the manifest has no local package"
    );
    ensure!(
        ended.log().contains("sha256"),
        "the checksum is not in the log"
    );
    let label = output(
        Command::new("xorriso")
            .args(["-no_rc", "-indev"])
            .arg(iso)
            .arg("-pvd_info"),
    )?;
    ensure!(
        label.contains("SMALL_FEATURES"),
        "the label is another one: {label}"
    );
    Ok(())
}

/// The tree inside an ISO.
fn unpack(iso: &Path, folder: &Path) -> Result<PathBuf> {
    let squashfs = folder.join("filesystem.squashfs");
    output(
        Command::new("xorriso")
            .args(["-no_rc", "-osirrox", "on", "-indev"])
            .arg(iso)
            .args(["-extract", "/live/filesystem.squashfs"])
            .arg(&squashfs),
    )?;
    let tree = folder.join("tree");
    output(
        Command::new("unsquashfs")
            .args(["-quiet", "-no-progress", "-dest"])
            .arg(&tree)
            .arg(&squashfs),
    )?;
    Ok(tree)
}

/// A medium for UEFI machines alone starts from a stick, too.
fn uefi_only(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("uefi")?;
    let small = Small::serve(kit, scratch.path(), &[])?;
    let isosmith = kit
        .isosmith(scratch.path())
        .arg("--set")
        .arg("boot.bios=none");
    isosmith.build(&small.profile("uefi")?)?.iso()?;
    Ok(())
}

/// Groups, units, locales, zones and layouts that no package brings are named with their
/// field.
fn not_in_image(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("names")?;
    let small = Small::serve(kit, scratch.path(), &[])?;
    let mut wrong = Vec::new();
    for (set, field) in [
        (
            "users.live.groups=[\"blacksmiths\"]",
            "users.live.groups[0]",
        ),
        (
            "services.enable=[\"nonesuch.service\"]",
            "services.enable[0]",
        ),
        ("region.locales=[\"xx_XX.UTF-8\"]", "region.locales[0]"),
        ("region.timezone=\"Europe/Atlantis\"", "region.timezone"),
    ] {
        let isosmith = kit.isosmith(scratch.path()).arg("--set").arg(set);
        let ended = isosmith.build(&small.profile("names")?)?;
        match ended.failed_with(isosmith_protocol::Code::NotInImage, 3) {
            Ok(message) if message.starts_with(field) => {}
            Ok(message) => wrong.push(format!("{set}: the field is not named: {message}")),
            Err(error) => wrong.push(format!("{set}: {error:#}")),
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
