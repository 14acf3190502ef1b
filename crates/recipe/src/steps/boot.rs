//! Everything on the medium but the squashfs: kernel, loaders, menus with the brand.

use std::{
    fs,
    path::{Path, PathBuf},
};

use isosmith_catalogue::wanted::has_splash;
use isosmith_engine::{Done, Failure, StepCx};
use isosmith_host::{
    Cmd,
    fs::{Confined, Tree},
};
use isosmith_protocol::Code;
use isosmith_spec::model::{BiosLoader, MenuEntry};
use serde_json::{Value, json};

use super::{
    debian_installer,
    environment::{tools_sandbox, write},
    initramfs::kernels,
    users,
};
use crate::{
    brand::{self, shown},
    cpio,
    fetch::Pool,
    materials::Materials,
    menu,
    signing::{self, Pen},
    state::Debian,
};

/// Big enough for shim, GRUB and MokManager; over 20 MB some firmware fails.
const EFI_IMAGE_KIB: u32 = 8192;

/// Modules of a GRUB that is not signed.
const EFI_MODULES: &[&str] = &[
    "part_gpt",
    "part_msdos",
    "fat",
    "iso9660",
    "search",
    "search_fs_file",
    "normal",
    "configfile",
    "linux",
    "all_video",
    "gfxterm",
    "gfxmenu",
    "png",
    "jpeg",
    "font",
    "test",
    "loopback",
    "chain",
    "serial",
    "terminal",
    "echo",
    "sleep",
    "reboot",
    "halt",
    "true",
];

/// Modules that BIOS GRUB starts with; the rest is loaded from the medium.
const BIOS_MODULES: &[&str] = &[
    "biosdisk",
    "iso9660",
    "part_msdos",
    "normal",
    "configfile",
    "search",
    "search_fs_file",
];

/// Loaders, brand and menu; the kernel comes in through the layers' keys.
pub(crate) fn inputs(state: &Debian) -> Value {
    let Some(resolution) = &state.resolution else {
        return isosmith_engine::step::unknown();
    };
    let branding = &state.spec.branding;
    let hash = |path: &Option<isosmith_spec::names::MaterialPath>| {
        path.as_ref()
            .map(|path| state.materials.hash(path).to_owned())
    };
    let entries = entries(state);
    json!({
        "loaders": resolution.boot.iter().map(|package| format!("{} {} {}", package.name, package.version, package.sha256)).collect::<Vec<_>>(),
        "grub": menu::grub(&state.spec.boot, &entries),
        "isolinux": String::from_utf8_lossy(&menu::isolinux(&state.spec.boot, &entries, "")),
        "bios": format!("{:?}", state.spec.boot.bios),
        "uefi": state.spec.boot.uefi,
        "secureBoot": state.spec.boot.secure_boot,
        "signing": state.signing_inputs(),
        "splash": has_splash(&state.spec),
        "logo": hash(&branding.logo),
        "wallpaper": hash(&branding.wallpaper),
        "colours": format!("{:?} {:?} {:?}", branding.accent, branding.background, branding.text),
        "names": [&branding.name, &branding.short_name, &branding.version, &branding.codename.to_string()],
        "sourceDate": state.source_date(),
        "debianInstaller": state.spec.installer.debian.then(|| debian_installer::inputs(state)),
        // It travels on the medium as it is, fields without any other effect too.
        "profile": for_medium(&state.profile, &state.materials).unwrap_or_default(),
        "renderer": env!("CARGO_PKG_VERSION"),
    })
}

fn entries(state: &Debian) -> Vec<menu::Entry> {
    let mut always = users::parameters(state);
    always.extend(state.spec.kernel.cmdline.iter().map(ToString::to_string));
    menu::entries(&state.spec, &always)
}

/// Fills the medium's folder.
pub(crate) fn make(cx: &mut StepCx<'_>, state: &mut Debian) -> Result<Done, Failure> {
    let medium = Medium {
        root: cx.out().join("medium"),
        loaders: cx.out().join("loaders"),
    };
    unpack_loaders(cx, state, &medium)?;
    kernel(cx, state, &medium)?;
    let entries = entries(state);
    let brand = brand::whole(state)?;
    let boot = &state.spec.boot;
    for warning in brand::warnings(&brand, boot, &entries) {
        cx.warn(format!("{} {}", warning.message, warning.fix));
    }

    medium.write(
        ".disk/info",
        isosmith_branding::disk_info(&brand, "amd64", &crate::date::day(state.source_date()))
            .as_bytes(),
    )?;
    medium.write(
        ".isosmith/profile.toml",
        for_medium(&state.profile, &state.materials)?.as_bytes(),
    )?;
    if boot.uefi || boot.bios == BiosLoader::Grub {
        medium.write("boot/grub/grub.cfg", menu::grub(boot, &entries).as_bytes())?;
        medium.write("boot/grub/loopback.cfg", menu::LOOPBACK.as_bytes())?;
        medium.copy_loader("usr/share/grub/unicode.pf2", "boot/grub/fonts/unicode.pf2")?;
        for file in isosmith_branding::grub_theme(&brand, &shown(boot, entries.iter())) {
            medium.write(&format!("boot/grub/theme/{}", file.path), &file.bytes)?;
        }
    }
    match boot.bios {
        BiosLoader::Isolinux => isolinux(state, &medium, &brand, &entries)?,
        BiosLoader::Grub => bios_grub(cx, state, &medium)?,
        BiosLoader::None => {}
    }
    if boot.uefi {
        efi(cx, state, &medium)?;
    }
    if boot.entries.contains(&MenuEntry::MemoryTest) {
        medium.copy_first_loader(
            &["boot/mt86+x64", "boot/memtest86+x64.bin"],
            menu::MEMTEST_BIOS,
        )?;
        medium.copy_first_loader(
            &["boot/mt86+x64.efi", "boot/memtest86+x64.efi"],
            menu::MEMTEST_EFI,
        )?;
    }
    if state.spec.installer.debian {
        debian_installer(cx, state, &medium)?;
    }
    Confined::new(cx.out())?.remove_tree(&medium.loaders)?;
    Ok(Done::Done)
}

/// The initramfs of Debian's installer, which starts with the live system's kernel.
fn debian_installer(cx: &mut StepCx<'_>, state: &Debian, medium: &Medium) -> Result<(), Failure> {
    let guard = cx.mount_root()?;
    let tree = Tree::open(cx.root())?;
    let pool = Pool::new(cx.work().pool());
    let kernel = newest_kernel(&tree)?;
    let bytes = debian_installer::initramfs(state, &pool, &medium.loaders, &tree, &kernel)?;
    // The mount goes after the last thing that is open in it.
    drop(tree);
    drop(guard);
    medium.write(menu::DEBIAN_INITRD, &bytes)
}

fn newest_kernel(tree: &Tree) -> Result<String, Failure> {
    kernels(tree)?
        .pop()
        .ok_or_else(|| Failure::plain(Code::ImageInvalid, "no kernel is installed"))
}

/// The profile as it travels on the medium, where anybody can read it. A password's hash is
/// in the image for those who may log in, not for guessing at; and where files lay on the
/// machine that built it is nobody's business, so only their names are left.
fn for_medium(profile: &str, materials: &Materials) -> Result<String, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::plain(
            Code::Internal,
            format!("the profile cannot be copied: {error}"),
        )
    };
    let mut table: toml::Table = profile
        .parse()
        .map_err(|error: toml::de::Error| failed(&error))?;
    for account in accounts(&mut table) {
        let hashed = account
            .get("password")
            .and_then(toml::Value::as_str)
            .is_some_and(|password| password.starts_with('$'));
        if hashed {
            account.insert("password".to_owned(), toml::Value::from("prompt"));
        }
    }
    let mut whole = toml::Value::Table(table);
    shorten(&mut whole, materials);
    toml::to_string(&whole).map_err(|error| failed(&error))
}

/// The tables of everybody who can log in.
fn accounts(profile: &mut toml::Table) -> impl Iterator<Item = &mut toml::Table> {
    let users = profile.get_mut("users").and_then(toml::Value::as_table_mut);
    let users = users.into_iter().flatten().map(|(_, user)| user);
    users.flat_map(|user| match user {
        toml::Value::Table(account) => vec![account],
        toml::Value::Array(accounts) => accounts
            .iter_mut()
            .filter_map(toml::Value::as_table_mut)
            .collect(),
        toml::Value::String(_)
        | toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => Vec::new(),
    })
}

fn shorten(value: &mut toml::Value, materials: &Materials) {
    match value {
        toml::Value::String(text) => {
            let name = Path::new(text.as_str()).file_name();
            if let Some(name) = name
                .and_then(|name| name.to_str())
                .filter(|_| materials.has(text))
            {
                *text = name.to_owned();
            }
        }
        toml::Value::Array(items) => items.iter_mut().for_each(|item| shorten(item, materials)),
        toml::Value::Table(table) => table
            .iter_mut()
            .for_each(|(_, item)| shorten(item, materials)),
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => {}
    }
}

/// The folder that becomes the ISO, and the unpacked loaders that parts of it come from.
struct Medium {
    root: PathBuf,
    loaders: PathBuf,
}

impl Medium {
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let to = self.root.join(path.trim_start_matches('/'));
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(|error| Failure::io_at("make", parent, error))?;
        }
        write(&to, bytes)
    }

    fn copy_loader(&self, from: &str, to: &str) -> Result<(), Failure> {
        let from = self.loaders.join(from);
        let bytes =
            fs::read(&from).map_err(|error| Failure::io_at("read the loader", &from, error))?;
        self.write(to, &bytes)
    }

    /// The file has been renamed between suites.
    fn copy_first_loader(&self, from: &[&str], to: &str) -> Result<(), Failure> {
        let found = from.iter().find(|path| self.loaders.join(path).exists());
        self.copy_loader(found.or(from.first()).unwrap_or(&""), to)
    }
}

fn unpack_loaders(cx: &StepCx<'_>, state: &Debian, medium: &Medium) -> Result<(), Failure> {
    for folder in [&medium.root, &medium.loaders] {
        fs::create_dir_all(folder).map_err(|error| Failure::io_at("make", folder, error))?;
    }
    let pool = Pool::new(cx.work().pool());
    for package in &state.resolution()?.boot {
        let unpack = Cmd::new("dpkg-deb")
            .args(["--extract", "/run/package.deb", "/run/loaders"])
            .inside(
                tools_sandbox(state.tools()?)
                    .bind_ro(&pool.path(package), "/run/package.deb")
                    .bind(&medium.loaders, "/run/loaders"),
            );
        cx.run(&unpack)?;
    }
    Ok(())
}

fn kernel(cx: &mut StepCx<'_>, state: &Debian, medium: &Medium) -> Result<(), Failure> {
    let guard = cx.mount_root()?;
    let tree = Tree::open(cx.root())?;
    let newest = newest_kernel(&tree)?;
    for (from, to) in [
        (format!("/boot/vmlinuz-{newest}"), menu::KERNEL),
        (format!("/boot/initrd.img-{newest}"), menu::INITRD),
    ] {
        let from = cx.root().join(from.trim_start_matches('/'));
        let to = medium.root.join(to.trim_start_matches('/'));
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(|error| Failure::io_at("make", parent, error))?;
        }
        fs::copy(&from, &to).map_err(|error| Failure::io_at("copy", &from, error))?;
    }
    dress(
        state,
        &medium.root.join(menu::INITRD.trim_start_matches('/')),
    )?;
    // The mount goes after the last thing that is open in it.
    drop(tree);
    drop(guard);
    Ok(())
}

/// Lays the product's splash over the one that the initramfs was made with, so that another
/// wallpaper does not need another initramfs.
fn dress(state: &Debian, initrd: &Path) -> Result<(), Failure> {
    let files = brand::splash(state)?;
    if files.is_empty() {
        return Ok(());
    }
    let files = files
        .iter()
        .map(|file| (file.path.as_str(), file.bytes.as_slice()));
    let archive = cpio::archive(files, state.source_date());
    let mut bytes = fs::read(initrd).map_err(|error| Failure::io_at("read", initrd, error))?;
    cpio::append(&mut bytes, &archive);
    write(initrd, &bytes)
}

fn isolinux(
    state: &Debian,
    medium: &Medium,
    brand: &isosmith_branding::Brand,
    entries: &[menu::Entry],
) -> Result<(), Failure> {
    let on_bios = entries.iter().filter(|entry| entry.is_for_bios());
    let shown = shown(&state.spec.boot, on_bios);
    medium.copy_loader("usr/lib/ISOLINUX/isolinux.bin", "isolinux/isolinux.bin")?;
    for module in ["vesamenu.c32", "ldlinux.c32", "libcom32.c32", "libutil.c32"] {
        medium.copy_loader(
            &format!("usr/lib/syslinux/modules/bios/{module}"),
            &format!("isolinux/{module}"),
        )?;
    }
    let mut look = String::new();
    for file in isosmith_branding::isolinux_theme(brand, &shown) {
        if file.path.ends_with(".cfg") {
            look.push_str(&format!("include {}\n", file.path));
        }
        medium.write(&format!("isolinux/{}", file.path), &file.bytes)?;
    }
    let text = menu::isolinux(&state.spec.boot, entries, &look);
    medium.write("isolinux/isolinux.cfg", &text)?;
    medium.keep_mbr("usr/lib/ISOLINUX/isohdpfx.bin")
}

impl Medium {
    /// The boot sector that makes the ISO start from a stick; written into the ISO, not onto it.
    fn keep_mbr(&self, from: &str) -> Result<(), Failure> {
        let from = self.loaders.join(from);
        let to = self.root.with_file_name("mbr.bin");
        fs::copy(&from, &to)
            .map(drop)
            .map_err(|error| Failure::io_at("copy", &from, error))
    }
}

fn bios_grub(cx: &StepCx<'_>, state: &Debian, medium: &Medium) -> Result<(), Failure> {
    let modules = medium.loaders.join("usr/lib/grub/i386-pc");
    let failed = |error| Failure::io_at("read", &modules, error);
    for entry in fs::read_dir(&modules).map_err(failed)? {
        let name = entry
            .map_err(failed)?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if name.ends_with(".mod") || name.ends_with(".lst") {
            medium.copy_loader(
                &format!("usr/lib/grub/i386-pc/{name}"),
                &format!("boot/grub/i386-pc/{name}"),
            )?;
        }
    }
    let image = Cmd::new("grub-mkimage")
        .args([
            "-O",
            "i386-pc-eltorito",
            "-d",
            "/run/modules",
            "-p",
            "/boot/grub",
            "-o",
            "/run/out/grub_eltorito",
        ])
        .args(BIOS_MODULES.iter().copied())
        .inside(
            tools_sandbox(state.tools()?)
                .bind_ro(&modules, "/run/modules")
                .bind(&medium.root.join("boot/grub"), "/run/out"),
        );
    cx.run(&image)?;
    medium.keep_mbr("usr/lib/grub/i386-pc/boot_hybrid.img")
}

/// Loaders for UEFI, on the medium as files and in a FAT image that firmware boots from.
fn efi(cx: &StepCx<'_>, state: &Debian, medium: &Medium) -> Result<(), Failure> {
    if state.spec.boot.secure_boot {
        medium.copy_loader("usr/lib/shim/shimx64.efi.signed", "EFI/boot/bootx64.efi")?;
        medium.copy_loader("usr/lib/shim/mmx64.efi.signed", "EFI/boot/mmx64.efi")?;
        // The signed GRUB for removable media: the one for disks looks in /EFI/debian only.
        medium.copy_loader(
            "usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed",
            "EFI/boot/grubx64.efi",
        )?;
    } else {
        unsigned_efi(cx, state, medium)?;
    }
    sign(cx, state, medium)?;
    let find = "search --set=root --file /.disk/info\nset prefix=($root)/boot/grub\nconfigfile ($root)/boot/grub/grub.cfg\n";
    medium.write("EFI/debian/grub.cfg", find.as_bytes())?;
    stamp(&medium.root, state.source_date())?;

    // Filled with mtools: no loop device, no mount.
    let serial = format!("{:08x}", state.source_date() & 0xffff_ffff);
    let script = format!(
        "set -e\nmkfs.vfat --invariant -C -n ESP -i {serial} efi.img {EFI_IMAGE_KIB}\n\
         mcopy -s -m -p -Q -i efi.img ../../EFI ::EFI\nmmd -i efi.img ::boot ::boot/grub\n\
         mcopy -m -p -Q -i efi.img ../../EFI/debian/grub.cfg ::boot/grub/grub.cfg\n"
    );
    let fill = Cmd::new("sh")
        .env("SOURCE_DATE_EPOCH", state.source_date().to_string())
        .env("MTOOLS_SKIP_CHECK", "1")
        .args(["-c", &script])
        .inside(
            tools_sandbox(state.tools()?)
                .bind(&medium.root, "/run/medium")
                .in_folder("/run/medium/boot/grub"),
        );
    cx.run(&fill)
}

/// The owner's signature beside those of the vendors, so that firmware which knows nobody else
/// starts the medium too, and the certificate for whoever has to enrol it.
fn sign(cx: &StepCx<'_>, state: &Debian, medium: &Medium) -> Result<(), Failure> {
    let (Some(pen), Some(signer)) = (Pen::of(state)?, state.signer()?) else {
        return Ok(());
    };
    // The kernel comes signed from the tree; MokManager is started by shim, which knows it.
    for loader in ["EFI/boot/bootx64.efi", "EFI/boot/grubx64.efi"] {
        let loader = medium.root.join(loader);
        pen.sign(cx, &loader, &loader)?;
    }
    medium.write(signing::CERTIFICATE, signer.der())
}

fn unsigned_efi(cx: &StepCx<'_>, state: &Debian, medium: &Medium) -> Result<(), Failure> {
    let modules = medium.loaders.join("usr/lib/grub/x86_64-efi");
    medium.write(
        "EFI/boot/early.cfg",
        b"search --set=root --file /.disk/info\nset prefix=($root)/boot/grub\n",
    )?;
    let image = Cmd::new("grub-mkimage")
        .args(["-O", "x86_64-efi", "-d", "/run/modules", "-p", "/boot/grub"])
        .args(["-c", "/run/out/early.cfg", "-o", "/run/out/bootx64.efi"])
        .args(EFI_MODULES.iter().copied())
        .inside(
            tools_sandbox(state.tools()?)
                .bind_ro(&modules, "/run/modules")
                .bind(&medium.root.join("EFI/boot"), "/run/out"),
        );
    cx.run(&image)?;
    let early = medium.root.join("EFI/boot/early.cfg");
    fs::remove_file(&early).map_err(|error| Failure::io_at("remove", &early, error))
}

/// Gives every file and folder below `root` the same time, so that the medium does not tell
/// when it was made.
pub(crate) fn stamp(root: &Path, seconds: i64) -> Result<(), Failure> {
    let failed = |error| Failure::io_at("set the time of", root, error);
    if root.is_dir() {
        for entry in fs::read_dir(root).map_err(failed)? {
            stamp(&entry.map_err(failed)?.path(), seconds)?;
        }
    }
    let time = nix::sys::time::TimeSpec::new(seconds, 0);
    nix::sys::stat::utimensat(
        nix::fcntl::AT_FDCWD,
        root,
        &time,
        &time,
        nix::sys::stat::UtimensatFlags::NoFollowSymlink,
    )
    .map_err(|error| failed(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_do_not_travel_and_the_rest_does() {
        let profile = "format = 1\n[users.root]\npassword = \"$6$salt$hash\"\n[users.live]\nname = \"ada\"\npassword = \"locked\"\n";
        let shown = for_medium(profile, &Materials::default()).expect("a good profile");
        assert!(!shown.contains("hash"), "{shown}");
        assert!(
            shown.contains("\"prompt\"") && shown.contains("\"locked\"") && shown.contains("ada"),
            "{shown}"
        );
        assert_eq!(
            for_medium("format = 1\n[users]\nlive = false\n", &Materials::default()).expect("good"),
            "format = 1\n\n[users]\nlive = false\n"
        );
    }
}
