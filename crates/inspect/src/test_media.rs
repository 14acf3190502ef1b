//! Media made with the programs that builds use: xorriso, mksquashfs,
//! mkfs.vfat and mtools, which the project's test command installs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::pe::tests::{pe, sign};

pub(crate) fn run(program: &str, arguments: &[&str], directory: &Path) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output();
    let output = output.unwrap_or_else(|error| panic!("{program} is needed by this test: {error}"));
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A root tree with what a reader can get wrong: links, a hole, a file of
/// several blocks with a tail, many names.
pub(crate) fn root_tree(at: &Path) {
    write(
        &at.join("usr/lib/os-release"),
        "ID=debian\nPRETTY_NAME=\"Test Linux\"\n",
    );
    let status =
        "Package: a\nStatus: install ok installed\n\nPackage: b\nStatus: install ok installed\n";
    write(&at.join("var/lib/dpkg/status"), status);
    fs::create_dir_all(at.join("etc")).unwrap();
    std::os::unix::fs::symlink("../usr/lib/os-release", at.join("etc/os-release")).unwrap();
    std::os::unix::fs::symlink("/loop", at.join("loop")).unwrap();
    std::os::unix::fs::symlink("/usr/lib", at.join("lib")).unwrap();
    write(&at.join("big"), big());
    let hole = fs::File::create(at.join("hole")).unwrap();
    hole.set_len(300_000).unwrap();
    for index in 0..700 {
        write(
            &at.join(format!("many/file-{index:04}")),
            format!("{index}"),
        );
    }
}

pub(crate) fn big() -> Vec<u8> {
    (0..400_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> if i % 3 == 0 { 24 } else { 30 }) as u8)
        .collect()
}

pub(crate) fn squashfs(root: &Path, image: &Path, options: &[&str]) {
    let (root, image) = (root.to_str().unwrap(), image.to_str().unwrap());
    let arguments = [&[root, image, "-noappend", "-no-progress"], options].concat();
    run("mksquashfs", &arguments, Path::new("/"));
}

pub(crate) const MICROSOFT: (&str, &str) = (
    "Microsoft Windows UEFI Driver Publisher",
    "Microsoft Corporation UEFI CA 2011",
);
pub(crate) const DEBIAN: (&str, &str) = (
    "Debian Secure Boot Signer 2022 - grub2",
    "Debian Secure Boot CA",
);

pub(crate) fn sbat(component: &str, generation: u32) -> Vec<u8> {
    format!("sbat,1,SBAT Version,sbat,1,https://example.org\n{component},{generation},x,x,1,https://example.org\n").into()
}

/// A GRUB that looks for its configuration in `prefix`.
pub(crate) fn grub(prefix: &str, generation: u32) -> Vec<u8> {
    let mut mods = b"mimg\0\0\0\0\x18\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    mods.extend(3u32.to_le_bytes());
    mods.extend((prefix.len() as u32 + 9).to_le_bytes());
    mods.extend(prefix.as_bytes());
    mods.push(0);
    sign(
        pe(&[("mods", &mods), (".sbat", &sbat("grub", generation))]),
        &[DEBIAN],
    )
}

/// A shim that refuses GRUB below generation 4.
pub(crate) fn shim() -> Vec<u8> {
    let level = [
        &[0; 4][..],
        &[8, 0, 0, 0, 40, 0, 0, 0],
        b"sbat,1,2024010900\ngrub,4\n\0",
    ]
    .concat();
    let mut file = pe(&[("/4", &level), (".sbat", &sbat("shim", 4))]);
    let strings = file.len() as u32;
    file[0x4c..0x50].copy_from_slice(&strings.to_le_bytes());
    file.extend(b"\x10\0\0\0.sbatlevel\0\0");
    file.resize(file.len().next_multiple_of(512), 0);
    sign(
        file,
        &[MICROSOFT, ("Windows UEFI Driver", "Microsoft UEFI CA 2023")],
    )
}

pub(crate) struct Medium {
    pub dir: TempDir,
    pub label: &'static str,
    pub options: Vec<&'static str>,
    pub programs: Vec<(&'static str, Vec<u8>)>,
}

pub(crate) const BIOS: [&str; 9] = [
    "-b",
    "isolinux/isolinux.bin",
    "-c",
    "isolinux/boot.cat",
    "-no-emul-boot",
    "-boot-load-size",
    "4",
    "-boot-info-table",
    "-isohybrid-mbr",
];
pub(crate) const UEFI: [&str; 6] = [
    "-eltorito-alt-boot",
    "-e",
    "boot/grub/efi.img",
    "-no-emul-boot",
    "-isohybrid-gpt-basdat",
    "-isohybrid-apm-hfsplus",
];

impl Medium {
    /// What a good build makes.
    pub(crate) fn good() -> Self {
        let programs = vec![
            ("bootx64.efi", shim()),
            ("grubx64.efi", grub("/boot/grub", 5)),
            ("mmx64.efi", sign(pe(&[]), &[DEBIAN])),
        ];
        let options = [&BIOS[..], &["../mbr.bin"], &UEFI].concat();
        Self {
            dir: TempDir::new().unwrap(),
            label: "TEST_13",
            options,
            programs,
        }
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    pub(crate) fn build(&self) -> PathBuf {
        let (dir, tree) = (self.dir.path(), self.tree());
        let root = dir.join("root");
        root_tree(&root);
        fs::create_dir_all(tree.join("live")).unwrap();
        squashfs(
            &root,
            &tree.join("live/filesystem.squashfs"),
            &["-comp", "zstd"],
        );
        write(&tree.join("live/vmlinuz-6.12.0-amd64"), "kernel");
        write(&tree.join("live/initrd.img-6.12.0-amd64"), "initrd");
        write(&tree.join("boot/grub/grub.cfg"), "menuentry x {}");
        write(&tree.join("isolinux/isolinux.cfg"), "label x");
        // A real loader's size, so that the info table has something to sum.
        write(&tree.join("isolinux/isolinux.bin"), vec![0xf4; 40_000]);
        // xorriso wants the head that SYSLINUX prepares for an Apple map.
        let mut mbr = b"\x33\xed".to_vec();
        mbr.resize(32, 0x90);
        mbr.extend(b"\x33\xed\xfa\x8e\xd5\xbc\0\x7c isolinux.bin missing or corrupt.");
        mbr.resize(432, 0);
        write(&dir.join("mbr.bin"), mbr);
        if !tree.join("boot/grub/efi.img").exists() {
            self.efi_image(&tree.join("boot/grub/efi.img"));
        }
        let iso = dir.join("test.iso");
        let fixed = [
            "-as",
            "mkisofs",
            "-R",
            "-J",
            "-iso-level",
            "3",
            "-quiet",
            "-V",
            self.label,
            "-publisher",
            "Isosmith",
        ];
        let arguments = [&fixed[..], &self.options, &["-o", "../test.iso", "."]].concat();
        run("xorriso", &arguments, &tree);
        iso
    }

    pub(crate) fn efi_image(&self, image: &Path) {
        let image = image.to_str().unwrap();
        run("mkfs.vfat", &["-C", image, "2048"], Path::new("/"));
        run("mmd", &["-i", image, "::EFI", "::EFI/boot"], Path::new("/"));
        for (name, program) in &self.programs {
            let file = self.dir.path().join(name);
            write(&file, program);
            run(
                "mcopy",
                &[
                    "-i",
                    image,
                    file.to_str().unwrap(),
                    &format!("::EFI/boot/{name}"),
                ],
                Path::new("/"),
            );
        }
    }
}
