//! A build in which nothing is built: every command is named, none is run.
//!
//! Steps read what commands leave behind, so the host of a rehearsal leaves just enough:
//! package lists with one package, the loaders as empty files, a tree with the names that
//! the profile uses. Versions are not known without asking a mirror; they read `VERSION`.

use std::{
    fmt, fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use isosmith_engine::{Done, Failure, Options, Recipe, StepCx, Work};
use isosmith_host::{Cancel, Cmd, CmdError, Host, HostError, Stream, Watch, mount::MountGuard};
use isosmith_protocol::{BuildId, BuildResult, Event};
use isosmith_spec::model::BuildSpec;
use sha2::{Digest, Sha256};

use crate::{Debian, apt, materials::hex, udebs, web::Web};

/// The kernel of a rehearsal.
const KERNEL: &str = "VERSION";

/// Files that loaders' packages hold and steps copy.
const LOADERS: &[&str] = &[
    "usr/lib/ISOLINUX/isolinux.bin",
    "usr/lib/ISOLINUX/isohdpfx.bin",
    "usr/lib/syslinux/modules/bios/vesamenu.c32",
    "usr/lib/syslinux/modules/bios/ldlinux.c32",
    "usr/lib/syslinux/modules/bios/libcom32.c32",
    "usr/lib/syslinux/modules/bios/libutil.c32",
    "usr/lib/shim/shimx64.efi.signed",
    "usr/lib/shim/mmx64.efi.signed",
    "usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed",
    "usr/lib/grub/x86_64-efi/normal.mod",
    "usr/lib/grub/i386-pc/normal.mod",
    "usr/lib/grub/i386-pc/boot_hybrid.img",
    "usr/share/grub/unicode.pf2",
    "boot/mt86+x64",
    "boot/mt86+x64.efi",
];

/// Says every command that a build of `state` would run, in order, with `scratch` (an empty
/// folder) as `/` of its paths.
///
/// # Errors
///
/// What the build itself would find without running anything, such as a missing file.
pub fn rehearse(mut state: Debian, scratch: &Path) -> Result<Vec<String>, Failure> {
    let id = BuildId::compose(0, "rehearsal", 0);
    let work = Work::new(&scratch.join("state"), &scratch.join("cache"), &id);
    let lines = Arc::new(std::sync::Mutex::new(Vec::new()));
    let host = Stage {
        cancel: Cancel::new(),
        spec: state.spec.clone(),
        lines: Arc::clone(&lines),
    };
    state.web = Arc::new(Pretended);
    state.previous = None;
    // Ours is no command.
    state.squashfs_writer = crate::SquashfsWriter::Mksquashfs;

    let recipe = crate::recipe(&state.spec);
    // One looks at the machine and one at the ISO, and neither runs a command.
    let steps = recipe.steps.into_iter().map(|mut step| {
        match step.id.as_str() {
            "preflight" => step.run = |_, _| Ok(Done::Done),
            "verify" => step.run = deliver,
            _ => {}
        }
        step
    });
    let recipe = Recipe {
        steps: steps.collect(),
        seal: |_, _| Ok(()),
    };
    let options = Options::new(
        id,
        state.spec.profile.name.clone(),
        env!("CARGO_PKG_VERSION"),
    );
    let mut failure = None;
    if let BuildResult::Failed { error } = isosmith_engine::run(
        &recipe,
        &mut state,
        &host,
        &work,
        &options,
        None,
        &mut |_: &Event| {},
    ) {
        let mut found = Failure::new(error.code, error.message, error.advice);
        found.causes = error.causes;
        failure = Some(found);
    }
    let prefix = scratch.display().to_string();
    let said = lines
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let lines = said.iter().map(|line| line.replace(&prefix, "")).collect();
    failure.map_or(Ok(lines), Err)
}

fn deliver(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    if let Some((_, iso)) = &state.iso {
        cx.deliver(iso.clone(), Vec::new());
    }
    Ok(Done::Done)
}

/// A network on which every package is its own name.
#[derive(Debug)]
struct Pretended;

impl Web for Pretended {
    fn get(&self, _url: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(Some(Vec::new()))
    }

    fn open(&self, url: &str) -> Result<Box<dyn Read>, Failure> {
        let name = url
            .strip_prefix("rehearsal:")
            .unwrap_or_default()
            .to_owned();
        Ok(Box::new(io::Cursor::new(name.into_bytes())))
    }
}

/// Notes commands and leaves behind what later steps look for.
struct Stage {
    cancel: Cancel,
    spec: BuildSpec,
    lines: Arc<std::sync::Mutex<Vec<String>>>,
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").finish_non_exhaustive()
    }
}

impl Host for Stage {
    fn run(&self, cmd: &Cmd, watch: &mut dyn Watch) -> Result<(), CmdError> {
        self.lines
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(cmd.to_string());
        self.pretend(cmd, watch).map_err(|source| CmdError::Spawn {
            program: cmd.program.clone(),
            command: cmd.to_string(),
            source,
        })
    }

    fn overlay(
        &self,
        _lower: &[PathBuf],
        _upper: &Path,
        _work: &Path,
        _at: &Path,
    ) -> Result<MountGuard, HostError> {
        Ok(MountGuard::none())
    }

    fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}

impl Stage {
    fn pretend(&self, cmd: &Cmd, watch: &mut dyn Watch) -> io::Result<()> {
        let outside = |inside: &str| {
            let sandbox = cmd.sandbox.as_ref();
            sandbox
                .and_then(|sandbox| sandbox.outside(Path::new(inside)))
                .ok_or(io::ErrorKind::NotFound)
        };
        let has = |word: &str| cmd.args.iter().any(|arg| arg == word);
        // A path, where it was asked for.
        let name = Path::new(&cmd.program).file_name();
        match name.and_then(|name| name.to_str()).unwrap_or_default() {
            "useradd" => self.account(&outside("/")?, cmd),
            "dpkg-divert" if has("--truename") => {
                say(cmd.args.last().map_or("", String::as_str), cmd, watch)
            }
            "apt-get" if has("update") => self.package_lists(&outside(apt::INSIDE)?),
            "apt-get" if has("--print-uris") => addresses(cmd, watch),
            "apt-get" => self.installed(&outside("/")?),
            "update-initramfs" => make(&outside("/")?, &[&format!("boot/initrd.img-{KERNEL}")]),
            "dpkg-deb" if has("--field") => say("Package: rehearsal", cmd, watch),
            "dpkg-deb" if has("--build") => Ok(()),
            "dpkg-deb" => self.loaders(&outside("/run/loaders")?),
            "mksquashfs" => make(&outside("/run/out")?, &["filesystem.squashfs"]),
            "grub-mkimage" => make(&outside("/run/out")?, &["bootx64.efi", "grub_eltorito"]),
            "sh" => make(&outside("/run/medium")?, &["boot/grub/efi.img"]),
            _ => Ok(()),
        }
    }

    fn package_lists(&self, folder: &Path) -> io::Result<()> {
        // The tools have a suite of their own, whose lists lie beside.
        for suite in [self.spec.base.suite.as_str(), "trixie"] {
            fs::write(
                folder.join(format!("lists/mirror_dists_{suite}_InRelease")),
                "Date: Thu, 01 Jan 1970 00:00:00 UTC\n",
            )?;
            fs::write(
                folder.join(format!(
                    "lists/mirror_dists_{suite}_main_binary-amd64_Packages"
                )),
                "Package: base-files\nEssential: yes\nPriority: required\nInstalled-Size: 1\n",
            )?;
            let components = udebs::named(&self.spec).into_iter().map(|name| {
                let nothing = hex(&Sha256::digest(b""));
                format!("Package: {name}\nFilename: {name}.udeb\nSize: 0\nSHA256: {nothing}\n\n")
            });
            fs::write(
                folder.join(format!(
                    "lists/mirror{}",
                    udebs::index_ending(self.spec.base.suite)
                )),
                components.collect::<String>(),
            )?;
        }
        Ok(())
    }

    fn loaders(&self, root: &Path) -> io::Result<()> {
        make(root, LOADERS)?;
        let (_, folder) = isosmith_catalogue::wanted::debian_installer(self.spec.base.suite);
        let path = root.join(folder).join("initrd.gz");
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(path, crate::steps::debian_installer::pretended()?)
    }

    /// A tree that has every name that the profile uses, since only a real one can lack them.
    fn installed(&self, root: &Path) -> io::Result<()> {
        let spec = &self.spec;
        make(
            root,
            &[
                &format!("boot/vmlinuz-{KERNEL}"),
                &format!("usr/share/zoneinfo/{}", spec.region.timezone),
            ],
        )?;
        let locales = spec.region.locales.iter().map(|locale| {
            let name = locale.as_str();
            format!(
                "{name} {}\n",
                name.split(['.', '@']).nth(1).unwrap_or("ISO-8859-1")
            )
        });
        write(
            root,
            "usr/share/i18n/SUPPORTED",
            &locales.collect::<String>(),
        )?;
        let groups = spec
            .users
            .live
            .iter()
            .flat_map(|user| user.groups.iter())
            .chain(spec.users.accounts.iter().flat_map(|user| &user.groups))
            .map(ToString::to_string);
        let groups = groups.chain(spec.files.iter().map(|file| file.group.to_string()));
        let groups: String = groups.map(|name| format!("{name}:x:1:\n")).collect();
        write(root, "etc/group", &format!("root:x:0:\n{groups}"))?;
        let owners: String = spec
            .files
            .iter()
            .map(|file| format!("{}:x:1:1::/:/bin/sh\n", file.owner))
            .collect();
        write(
            root,
            "etc/passwd",
            &format!("root:x:0:0:root:/root:/bin/bash\n{owners}"),
        )?;
        write(root, "etc/shadow", "root:*:0:0:99999:7:::\n")?;
        if let Some(file) = crate::desktop::session_file(spec) {
            write(root, file.trim_start_matches('/'), "")?;
        }
        for (_, id, _) in crate::desktop::named_applications(&spec.desktop.applications) {
            write(root, &format!("usr/share/applications/{id}"), "")?;
        }
        for (file, _, _) in crate::security::UFW_RULES {
            write(root, file.trim_start_matches('/'), "### RULES ###\n")?;
        }
        Ok(())
    }

    /// What an account leaves in the tables.
    fn account(&self, root: &Path, cmd: &Cmd) -> io::Result<()> {
        let name = cmd.args.last().map_or("", String::as_str);
        for (table, line) in [
            ("etc/passwd", format!("{name}:x:1:1::/:/bin/sh\n")),
            ("etc/group", format!("{name}:x:1:\n")),
            ("etc/shadow", format!("{name}:!:0:0:99999:7:::\n")),
        ] {
            let before = fs::read_to_string(root.join(table))?;
            write(root, table, &format!("{before}{line}"))?;
        }
        Ok(())
    }
}

/// Answers `--print-uris` with every package that was asked for, and nothing that it needs.
fn addresses(cmd: &Cmd, watch: &mut dyn Watch) -> io::Result<()> {
    let names = cmd
        .args
        .iter()
        .skip_while(|arg| *arg != "install" && *arg != "download")
        .skip(1);
    for name in names.filter(|name| !name.starts_with('/')) {
        let name = name.split('/').next().unwrap_or(name);
        let hash = hex(&Sha256::digest(name.as_bytes()));
        let line = format!(
            "'rehearsal:{name}' {name}_VERSION_amd64.deb {} SHA256:{hash}",
            name.len()
        );
        say(&line, cmd, watch)?;
    }
    Ok(())
}

/// Prints a line as `cmd`.
fn say(line: &str, cmd: &Cmd, watch: &mut dyn Watch) -> io::Result<()> {
    if cmd.binary_output {
        return watch.bytes(format!("{line}\n").as_bytes());
    }
    watch.line(Stream::Stdout, line);
    Ok(())
}

fn make(root: &Path, files: &[&str]) -> io::Result<()> {
    files.iter().try_for_each(|file| write(root, file, ""))
}

fn write(root: &Path, file: &str, text: &str) -> io::Result<()> {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap_or(root))?;
    fs::write(path, text)
}

#[cfg(test)]
mod tests {
    use isosmith_spec::{Layer, MaterialKind, Origin};

    use super::*;
    use crate::{Materials, Order, materials::take, mirrors::Mirrors};

    /// The order of a profile that consists of `text`; `program` is the assistant.
    fn order(text: &str, program: &Path) -> Order {
        let text = format!("format = 1\n[profile]\nname = \"demo\"\n{text}");
        let layer = Layer::new(Origin::Profile("demo".into()), "", text);
        let (_, merged) = isosmith_spec::load(vec![layer], &|_| None).expect("a good profile");
        let assistant = take(program, None, MaterialKind::Overlay).ok();
        let mirrors = Mirrors {
            archive: vec!["http://m/debian".into()],
            security: vec!["http://m/sec".into()],
            proxy: None,
        };
        Order {
            profile: merged.to_toml(),
            materials: Materials::default(),
            assistant,
            mirrors: mirrors.clone(),
            tool_mirrors: mirrors,
            squashfs_writer: crate::SquashfsWriter::Mksquashfs,
            manner: isosmith_protocol::Manner::default(),
            previous: None,
        }
    }

    /// The commands of a profile that consists of `text`.
    fn commands(text: &str) -> Vec<String> {
        let scratch = tempfile::tempdir().expect("a temporary folder");
        let program = tempfile::NamedTempFile::new().expect("a temporary file");
        let state = Debian::new(order(text, program.path())).expect("a good order");
        rehearse(state, scratch.path()).expect("rehearsed to the end")
    }

    /// Commands of `text` that contain `part`.
    fn matching(text: &str, part: &str) -> Vec<String> {
        commands(text)
            .into_iter()
            .filter(|line| line.contains(part))
            .collect()
    }

    #[test]
    fn nothing_begins_that_lacks_what_its_profile_needs() {
        let profile = "[desktop]\nenvironment = \"kde\"\n[software]\nexclude = [\"sddm\"]";
        let Err(failure) = Debian::new(order(profile, Path::new("/"))) else {
            panic!("a build without a login screen begins")
        };
        assert_eq!(failure.code, isosmith_protocol::Code::ProfileInvalid);
        let cause = failure.causes.concat();
        for part in ["software.exclude", "sddm", "desktop.display_manager"] {
            assert!(cause.contains(part), "{cause}");
        }
    }

    #[test]
    fn the_initramfs_is_made_once_and_after_every_package() {
        let lines = commands("");
        let at = |part: &str| {
            lines
                .iter()
                .rposition(|line| line.contains(part))
                .unwrap_or_else(|| panic!("no {part}"))
        };
        assert_eq!(matching("", "update-initramfs -c").len(), 1);
        assert!(at("update-initramfs -c") > at("--no-download"));
        for install in matching("", "--no-download") {
            assert!(install.contains("INITRD=No"), "{install}");
        }
    }

    #[test]
    fn only_downloads_are_online() {
        for line in commands("").iter().filter(|line| line.contains("online")) {
            assert!(line.ends_with("update"), "{line}");
        }
    }

    const AI: &str =
        "[ai]\ninterface = \"ollama\"\nendpoint = \"http://127.0.0.1:11434\"\nmodel = \"m\"";

    #[test]
    fn fields_reach_the_commands_that_honour_them() {
        let plain = commands("");
        for (text, part) in [
            ("[image]\ncompression = \"zstd:7\"", "-Xcompression-level 7"),
            ("[image]\ncompression = \"xz\"", "-comp xz"),
            ("[image]\nlabel = \"MY_LABEL\"", "-V MY_LABEL"),
            ("[image]\nsource_date = 1700000000", "-mkfs-time 1700000000"),
            ("[software]\npackages = [\"vim\"]", "vim:amd64=VERSION"),
            (
                "[software]\nrecommends = true",
                "APT::Install-Recommends=true",
            ),
            (
                "[kernel]\nflavour = \"cloud\"",
                "linux-image-cloud-amd64:amd64=VERSION",
            ),
            (
                "[kernel]\nflavour = \"backports\"",
                "linux-image-amd64/trixie-backports",
            ),
            (
                "[kernel]\nfirmware = [\"sound\"]",
                "firmware-sof-signed:amd64=VERSION",
            ),
            (
                "[services]\nenable = [\"ssh.service\"]",
                "systemctl enable ssh.service",
            ),
            (
                "[services]\ndisable = [\"cron.service\"]",
                "systemctl disable cron.service",
            ),
            ("[boot]\nbios = \"grub\"", "i386-pc-eltorito"),
            (
                "[installer]\ncalamares = true\nonly = true",
                "calamares:amd64=VERSION",
            ),
            ("[installer]\ncalamares = true\nonly = true", "/=/run/more0"),
            (
                "[installer]\ndebian = true",
                "debian-installer-13-netboot-amd64",
            ),
            ("[boot]\nsecure_boot = false", "x86_64-efi"),
            ("[branding]\nvendor = \"ACME\"", "-publisher ACME"),
            (AI, "--build --root-owner-group"),
            (AI, "--install /run/isosmith-ai-helper.deb"),
            (
                "[desktop]\nenvironment = \"xfce\"",
                "systemctl enable NetworkManager.service",
            ),
            (
                "[desktop]\nenvironment = \"kiosk\"\nkiosk_page = \"https://a.example/\"",
                "systemctl enable isosmith-kiosk.service",
            ),
            (
                "[security]\nfirewall = \"nftables\"",
                "systemctl enable nftables.service",
            ),
            (
                "[security]\nfirewall = \"ufw\"",
                "systemctl enable ufw.service",
            ),
            (
                "[security]\napparmor = true",
                "systemctl enable apparmor.service",
            ),
            (
                "[security]\ndns_over_tls = true",
                "systemctl enable systemd-resolved.service",
            ),
            (
                "[[users.accounts]]\nname = \"red\"\nfull_name = \"Red Fox\"\ngroups = [\"video\"]",
                "--comment 'Red Fox' --groups video red",
            ),
            (
                "[[users.accounts]]\nname = \"red\"\nsudo = true",
                "--groups sudo red",
            ),
            (
                "[[users.accounts]]\nname = \"red\"\nreset = true",
                "cp -a /home/red /var/lib/isosmith/homes",
            ),
        ] {
            assert!(
                plain.iter().all(|line| !line.contains(part)),
                "{part} is there without {text}"
            );
            assert!(
                !matching(text, part).is_empty(),
                "{part} is missing with {text}"
            );
        }
    }
}
