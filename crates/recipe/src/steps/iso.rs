//! The ISO: written once, its checksums taken on the way, then read back.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::{Cmd, Sandbox};
use isosmith_inspect::Expect;
use isosmith_protocol::{Code, Level, Output, StepId, Unit};
use isosmith_spec::model::{BiosLoader, Checksum};
use sha2::{Digest, Sha256, Sha512};
use std::sync::Arc;

use super::{boot::stamp, environment::tools_sandbox, pool, squashfs};
use crate::{date, materials::hex, signing, state::Debian};

/// Loaders that are changed while the ISO is written (`-boot-info-table`), or made then.
const NOT_SUMMED: &[&str] = &["isolinux/isolinux.bin", "boot/grub/grub_eltorito"];

/// The FAT image that UEFI firmware starts from.
const EFI_IMAGE: &str = "boot/grub/efi.img";

/// Writes the ISO, unless the very same one lies where it would go.
pub(crate) fn write(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let name = state.spec.image.file_name.clone();
    let key = contents_key(cx, state)?;
    if let Some(previous) = state
        .previous
        .as_ref()
        .filter(|previous| previous.key == key && previous.name == name)
    {
        let iso = Output {
            path: name,
            size: previous.size,
            checksums: previous.checksums.clone(),
            enrolment: state.signer()?.as_ref().map(signing::enrolment),
        };
        state.iso = Some((key, iso));
        return Ok(Done::Skipped(
            "the ISO that is already there is this very one".to_owned(),
        ));
    }
    let medium = cx.output_of(&crate::BOOT_FILES).join("medium");
    let squashfs_file = cx.output_of(&crate::SQUASHFS).join(squashfs::NAME);
    let more: Vec<PathBuf> = beside(state)
        .iter()
        .map(|(step, folder)| cx.output_of(step).join(folder))
        .collect();
    let sums = cx.out().join("sha256sum.txt");
    super::environment::write(
        &sums,
        medium_sums(&medium, &more, &squashfs_file)?.as_bytes(),
    )?;
    stamp(&sums, state.source_date())?;
    stamp(&squashfs_file, state.source_date())?;
    stamp(&medium, state.source_date())?;
    for folder in &more {
        stamp(folder, state.source_date())?;
    }

    let mut sandbox = tools_sandbox(state.tools()?)
        .bind_ro(&medium, "/run/medium")
        .bind_ro(&squashfs_file, format!("/run/{}", squashfs::NAME))
        .bind_ro(&sums, "/run/sha256sum.txt");
    for (number, folder) in more.iter().enumerate() {
        sandbox = sandbox.bind_ro(folder, format!("/run/more{number}"));
    }
    let cmd = xorriso(state, sandbox, &medium.with_file_name("mbr.bin"));
    let target = crate::output_folder(cx.work());
    fs::create_dir_all(&target).map_err(|error| Failure::io_at("make", &target, error))?;
    let path = target.join(&name);
    let expected = fs::metadata(&squashfs_file)
        .map(|meta| meta.len())
        .unwrap_or(0);
    let (size, checksums) = Summing::over(&path, &state.spec.image.checksums, |out| {
        let mut done = 0;
        cx.run_for_bytes(&cmd, &mut |chunk| {
            done += chunk.len() as u64;
            cx.progress(done, Some(expected.max(done)), Unit::Bytes, None);
            out.take(chunk)
        })
    })?;
    for (algorithm, sum) in &checksums {
        cx.log(Level::Info, format!("{algorithm} {sum}"));
    }
    state.iso = Some((
        key,
        Output {
            path: path.display().to_string(),
            size,
            checksums,
            enrolment: state.signer()?.as_ref().map(signing::enrolment),
        },
    ));
    Ok(Done::Done)
}

/// Steps whose folders become parts of the medium beside what [`boot`](super::boot) fills.
fn beside(state: &Debian) -> Vec<(StepId, &'static str)> {
    let pool = (crate::POOL, pool::FOLDER);
    let pool = state.spec.installer.any().then_some(pool);
    pool.into_iter().collect()
}

/// Changes with anything that can change the ISO.
fn contents_key(cx: &StepCx<'_>, state: &Debian) -> Result<String, Failure> {
    let part = |step: &StepId| {
        cx.key_of(step).map(str::to_owned).ok_or_else(|| {
            Failure::plain(Code::Internal, format!("the key of {step} is not known"))
        })
    };
    let mut more = String::new();
    for (step, _) in beside(state) {
        more.push_str(&part(&step)?);
        more.push('\n');
    }
    let text = format!(
        "{}\n{}\n{more}{}\n{}\n{:?}\n",
        part(&crate::SQUASHFS)?,
        part(&crate::BOOT_FILES)?,
        state.spec.image.label,
        state.source_date(),
        state.spec.image.checksums,
    );
    Ok(hex(&Sha256::digest(text.as_bytes())))
}

/// Options of xorriso(1) as mkisofs; see also the manual of live-build, whose layout this is.
fn xorriso(state: &Debian, sandbox: Sandbox, mbr: &Path) -> Cmd {
    let boot = &state.spec.boot;
    let branding = &state.spec.branding;
    // ISO 9660 gives these fields 128 bytes of ASCII.
    let ascii = |text: &str| {
        text.chars()
            .filter(|c| c.is_ascii_graphic() || *c == ' ')
            .take(128)
            .collect::<String>()
    };
    let mut cmd = Cmd::new("xorriso")
        .env("SOURCE_DATE_EPOCH", state.source_date().to_string())
        .args([
            "-no_rc",
            "-as",
            "mkisofs",
            "-r",
            "-J",
            "-joliet-long",
            "-l",
            "-iso-level",
            "3",
            "-quiet",
        ])
        .args(["-V".to_owned(), state.spec.image.label.to_string()])
        .args(["-A".to_owned(), ascii(&branding.name)])
        .args([
            "-p".to_owned(),
            format!("Isosmith {}", env!("CARGO_PKG_VERSION")),
        ])
        .args(["-publisher".to_owned(), ascii(&branding.vendor)])
        .arg(format!(
            "--modification-date={}",
            date::iso9660(state.source_date())
        ))
        .args(["-uid", "0", "-gid", "0"]);
    cmd = match boot.bios {
        BiosLoader::Isolinux => {
            let cmd = cmd.args(["-isohybrid-mbr", "/run/mbr.bin"]);
            bios_image(cmd, "isolinux/isolinux.bin")
        }
        BiosLoader::Grub => {
            let cmd = cmd.args(["--grub2-mbr", "/run/mbr.bin"]);
            bios_image(cmd, "boot/grub/grub_eltorito").arg("--grub2-boot-info")
        }
        BiosLoader::None => cmd.args(["-c", "boot.cat"]),
    };
    if boot.uefi {
        if boot.bios != BiosLoader::None {
            cmd = cmd.arg("-eltorito-alt-boot");
        }
        // ISOLINUX's boot sector points into the ISO's own files; elsewhere the EFI image
        // becomes a partition of its own behind them, which more firmware takes from a stick.
        cmd = if boot.bios == BiosLoader::Isolinux {
            cmd.args(["-e", EFI_IMAGE, "-no-emul-boot"])
                .args(["-isohybrid-gpt-basdat", "-isohybrid-apm-hfsplus"])
        } else {
            cmd.args(["-append_partition", "2", "0xef"])
                .arg(format!("/run/medium/{EFI_IMAGE}"))
                .arg("-appended_part_as_gpt")
                .args([
                    "-e",
                    "--interval:appended_partition_2:all::",
                    "-no-emul-boot",
                ])
        };
    }
    let sandbox = if boot.bios == BiosLoader::None {
        sandbox
    } else {
        sandbox.bind_ro(mbr, "/run/mbr.bin")
    };
    cmd.args(["-o", "-", "-graft-points", "/=/run/medium"])
        .args((0..beside(state).len()).map(|number| format!("/=/run/more{number}")))
        .arg(format!("/live/{0}=/run/{0}", squashfs::NAME))
        .arg("/sha256sum.txt=/run/sha256sum.txt")
        .binary_output()
        .inside(sandbox)
}

fn bios_image(cmd: Cmd, image: &str) -> Cmd {
    cmd.args(["-partition_offset", "16", "-b", image, "-c", "boot.cat"])
        .args(["-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"])
}

/// `sha256sum.txt` of the medium, which the menu's "verify" entry reads (live-boot(7),
/// `verify-checksums`).
fn medium_sums(medium: &Path, more: &[PathBuf], squashfs_file: &Path) -> Result<String, Failure> {
    let mut files = vec![(format!("live/{}", squashfs::NAME), squashfs_file.to_owned())];
    collect(medium, medium, &mut files)?;
    for folder in more {
        collect(folder, folder, &mut files)?;
    }
    files.retain(|(name, _)| !NOT_SUMMED.contains(&name.as_str()));
    files.sort();
    let mut text = String::new();
    for (name, path) in files {
        let mut hash = Sha256::new();
        each_chunk(&path, |chunk| hash.update(chunk))
            .map_err(|error| Failure::io_at("read", &path, error))?;
        text.push_str(&format!("{}  ./{name}\n", hex(&hash.finalize())));
    }
    Ok(text)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<(), Failure> {
    let failed = |error| Failure::io_at("read", folder, error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(name) = path.strip_prefix(root) {
            files.push((name.to_string_lossy().into_owned(), path.clone()));
        }
    }
    Ok(())
}

fn each_chunk(path: &Path, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            count => take(&buffer[..count]),
        }
    }
}

/// A file that is written and summed at once, each sum on a thread of its own.
struct Summing {
    file: File,
    size: u64,
    sums: Vec<SyncSender<Arc<[u8]>>>,
}

impl Summing {
    fn over(
        path: &Path,
        wanted: &[Checksum],
        fill: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Result<(u64, BTreeMap<String, String>), Failure> {
        let failed = |error| Failure::io_at("write the ISO to", path, error);
        let mut out = Self {
            file: File::create(path).map_err(failed)?,
            size: 0,
            sums: Vec::new(),
        };
        let mut wanted = wanted.to_vec();
        // What was delivered is recognised by it.
        if !wanted.contains(&Checksum::Sha256) {
            wanted.push(Checksum::Sha256);
        }
        let threads: Vec<_> = wanted
            .into_iter()
            .map(|kind| {
                let (sender, receiver) = sync_channel(16);
                out.sums.push(sender);
                (kind, thread::spawn(move || sum(kind, &receiver)))
            })
            .collect();
        fill(&mut out)?;
        out.sums.clear();
        out.file.sync_all().map_err(failed)?;
        let mut sums = BTreeMap::new();
        for (kind, thread) in threads {
            let sum = thread
                .join()
                .map_err(|_| Failure::plain(Code::Internal, "a checksum could not be taken"))?;
            sums.insert(kind.as_str().to_owned(), sum);
        }
        Ok((out.size, sums))
    }

    fn take(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.size += chunk.len() as u64;
        let shared: Arc<[u8]> = chunk.into();
        for sum in &self.sums {
            sum.send(Arc::clone(&shared))
                .map_err(|_| io::Error::other("a checksum thread ended"))?;
        }
        self.file.write_all(chunk)
    }
}

fn sum(kind: Checksum, chunks: &Receiver<Arc<[u8]>>) -> String {
    match kind {
        Checksum::Sha256 => digest::<Sha256>(chunks),
        Checksum::Sha512 => digest::<Sha512>(chunks),
        Checksum::Md5 => digest::<md5::Md5>(chunks),
    }
}

fn digest<D: Digest>(chunks: &Receiver<Arc<[u8]>>) -> String {
    let mut hash = D::new();
    while let Ok(chunk) = chunks.recv() {
        hash.update(&chunk);
    }
    hex(&hash.finalize())
}

/// Reads the finished ISO as a machine would, and refuses one that would not start.
pub(crate) fn verify(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let Some((key, iso)) = state.iso.clone() else {
        return Err(Failure::plain(Code::Internal, "there is no ISO to look at"));
    };
    let path = crate::output_folder(cx.work()).join(&state.spec.image.file_name);
    if !path.exists() {
        cx.remember(crate::CONTENTS_KEY, &key)?;
        cx.deliver(iso, Vec::new());
        return Ok(Done::Skipped(
            "the ISO that is already there was looked at when it was made".to_owned(),
        ));
    }
    let report = isosmith_inspect::inspect(&path).map_err(|error| {
        Failure::plain(Code::ImageInvalid, "the finished ISO cannot be read back").because(error)
    })?;
    let boot = &state.spec.boot;
    let expect = Expect {
        label: Some(state.spec.image.label.to_string()),
        bios: boot.bios != BiosLoader::None,
        uefi: boot.uefi,
        secure_boot: boot.secure_boot,
    };
    let problems = report.problems(&expect);
    if let Some(first) = problems.first() {
        let mut failure = Failure::plain(
            Code::ImageInvalid,
            format!("the finished ISO is not right: {first}"),
        );
        failure.causes = problems.iter().map(ToString::to_string).collect();
        return Err(failure);
    }
    let files = write_beside(cx, state, &iso, &path)?;
    cx.remember(crate::CONTENTS_KEY, &key)?;
    cx.deliver(iso, files);
    Ok(Done::Done)
}

/// Checksum files as `sha256sum -c` reads them, and the list of packages.
fn write_beside(
    cx: &StepCx<'_>,
    state: &Debian,
    iso: &Output,
    path: &Path,
) -> Result<Vec<String>, Failure> {
    let name = &state.spec.image.file_name;
    let mut texts = Vec::new();
    for checksum in &state.spec.image.checksums {
        if let Some(sum) = iso.checksums.get(checksum.as_str()) {
            texts.push((format!("{name}.{checksum}"), format!("{sum}  {name}\n")));
        }
    }
    let resolution = state.resolution()?;
    let mut lines: Vec<String> = resolution
        .base
        .iter()
        .chain(&resolution.packages)
        .map(|package| {
            // `Installed-Size` of deb-control(5), in KiB; 0 where a package does not say.
            let installed = resolution.installed.get(&package.name).unwrap_or(&0);
            format!(
                "{}\t{}\t{}\t{}\t{installed}\n",
                package.name, package.version, package.arch, package.sha256
            )
        })
        .collect();
    lines.sort();
    texts.push((format!("{name}.manifest"), lines.concat()));
    let mut files = Vec::new();
    for (name, text) in texts {
        super::environment::write(&path.with_file_name(&name), text.as_bytes())?;
        cx.log(Level::Debug, format!("wrote {name}"));
        files.push(name);
    }
    Ok(files)
}
