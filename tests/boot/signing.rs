//! A key of the owner's: what it has signed, and which firmware starts that.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use isosmith_spec::signing::Signer;
use isosmith_tests::{
    Kit,
    kit::{output, workspace},
};
use serde_json::Value;

use super::guest::Guest;

/// Software emulation on a busy machine; a good run takes a quarter of it.
const LIMIT: Duration = Duration::from_secs(900);

/// Firmware's or shim's own words come within seconds.
const SOON: Duration = Duration::from_secs(120);

/// Firmware that knows one key only, which is in the same package.
const SNAKEOIL: &str = "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd";
const MICROSOFT: &str = "/usr/share/OVMF/OVMF_VARS_4M.ms.fd";

/// Says over the serial line whether the firmware was strict (UEFI 2.10, 3.3: `SecureBoot`, after
/// four bytes of attributes).
const UNIT: &str = "[Unit]\nDescription=Say whether Secure Boot is on\n\n[Service]\nType=oneshot\n\
    ExecStart=/bin/sh -c 'echo ISOSMITH-SECURE-BOOT $(od -An -tx1 /sys/firmware/efi/efivars/SecureBoot-*) END >/dev/ttyS0'\n";

/// What it says when it was.
const STRICT: &str = "ISOSMITH-SECURE-BOOT 06 00 00 00 01 END";

/// Takes every signature off a kernel, as if nobody had signed it: the certificate table (PE
/// format, data directory 4) is at the end of the file.
const STRIP: &str = r#"#!/bin/sh
set -e
for kernel in /boot/vmlinuz-*; do
    perl -0777 -pi -e '
        my $entry = unpack("V", substr($_, 0x3c, 4)) + 24 + 112 + 32;
        my ($at, $size) = unpack("VV", substr($_, $entry, 8));
        die "not signed" unless $size;
        substr($_, $entry, 8) = "\0" x 8;
        $_ = substr($_, 0, $at);' "$kernel"
done
"#;

/// The kernel and the loaders have the owner's signature beside their vendors', the certificate is
/// on the medium, and the key is nowhere.
pub fn on_the_medium(kit: &Kit, iso: &Path, folder: &Path) -> Result<()> {
    let pair = Pair::owner();
    let read = output(
        Command::new(&kit.program)
            .args(["verify", "--json"])
            .arg(iso),
    )?;
    let read: Value = serde_json::from_str(&read)?;
    let programs = read["report"]["efi"]["programs"].as_array();
    for (name, vendor) in [("bootx64.efi", "Microsoft"), ("grubx64.efi", "Debian")] {
        let program = programs
            .into_iter()
            .flatten()
            .find(|program| program["path"] == format!("EFI/boot/{name}"))
            .with_context(|| format!("no {name}"))?;
        let signatures = program["program"]["signatures"].as_array();
        let signatures = signatures.context("no signatures")?;
        ensure!(
            signatures.iter().all(|one| one["covers_file"] == true),
            "{name}: {signatures:?}"
        );
        for signer in [vendor, "Kim's machines"] {
            let named = |one: &Value| one["subject"].to_string().contains(signer);
            ensure!(signatures.iter().any(named), "{name}: {signatures:?}");
        }
    }
    let owner =
        Signer::read(&fs::read(&pair.certificate)?).map_err(|reason| anyhow!("{reason}"))?;
    let kernel = of_medium(iso, "/live/vmlinuz", folder)?;
    let has = |bytes: &[u8]| kernel.windows(bytes.len()).any(|part| part == bytes);
    ensure!(has(owner.der()), "the kernel has not the owner's signature");
    ensure!(has(b"Debian Secure Boot"), "the kernel has lost Debian's");
    let certificate = of_medium(iso, "/EFI/keys/owner.cer", folder)?;
    ensure!(certificate == owner.der(), "another certificate is there");

    let key = fs::read_to_string(&pair.key)?;
    let line = key.lines().nth(10).context("a line of the key")?;
    ensure!(
        holders(line, std::slice::from_ref(&pair.key))? == [pair.key],
        "the search finds nothing"
    );
    let mut places = vec![folder.join("state"), folder.join("out")];
    places.extend(["layers", "artifacts", "partial"].map(|name| kit.cache().join(name)));
    let found = holders(line, &places)?;
    ensure!(found.is_empty(), "the private key is in {found:?}");
    Ok(())
}

/// Files at or below `places`, which exist, that hold `text`.
fn holders(text: &str, places: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let found = Command::new("grep")
        .args(["--recursive", "--files-with-matches", "--fixed-strings"])
        .arg(text)
        .args(places)
        .output()?;
    // grep(1): 0 found, 1 not found, 2 could not look.
    ensure!(
        matches!(found.status.code(), Some(0 | 1)),
        "{}",
        String::from_utf8_lossy(&found.stderr)
    );
    let lines = String::from_utf8(found.stdout)?;
    Ok(lines.lines().map(PathBuf::from).collect())
}

/// Firmware that knows nobody but the owner starts the medium, and not one without the
/// owner's signature.
pub fn on_firmware_of_ones_own(kit: &Kit) -> Result<()> {
    let folder = kit.root.join("signed-own");
    let pair = snakeoil(&folder)?;
    let iso = build(kit, &folder, Some(&pair), false)?;
    let guest = Guest::with_variables(&folder, Some(&iso), None, Some(Path::new(SNAKEOIL)))?;
    guest.hear("the system", LIMIT, |heard| heard.find(STRICT))?;
    drop(guest);
    let iso = build(kit, &folder, None, false)?;
    let guest = Guest::with_variables(&folder, Some(&iso), None, Some(Path::new(SNAKEOIL)))?;
    guest.hear("a refusal", SOON, |heard| {
        heard.find("DVD-ROM").and(heard.find("Access Denied"))
    })?;
    Ok(())
}

/// On firmware with Microsoft's keys a kernel that only the owner has signed is refused, until
/// the key is enrolled as the result of the build says.
pub fn after_enrolment(kit: &Kit) -> Result<()> {
    let folder = kit.root.join("signed-mok");
    let pair = snakeoil(&folder)?;
    let iso = build(kit, &folder, Some(&pair), true)?;
    let mut guest = Guest::with_variables(&folder, Some(&iso), None, Some(Path::new(MICROSOFT)))?;
    guest.hear("a refusal", SOON, |heard| heard.find("bad shim signature"))?;
    guest.press(&["spc"])?;
    // Back in the menu, whose last line it is; more presses than lines stay there.
    guest.hear("the menu", SOON, |heard| {
        heard.matches("GNU GRUB").nth(1).map(drop)
    })?;
    for _ in 0..8 {
        guest.press(&["down"])?;
    }
    guest.press(&["ret"])?;
    guest.hear("MokManager", SOON, |heard| {
        heard.find("Press any key to perform")
    })?;
    guest.press(&["spc"])?;
    for (screen, keys) in [
        ("Enroll key from disk", &["down", "ret"][..]),
        ("Select Key", &["ret"]),
        ("EFI/", &["ret"]),
        ("keys/", &["down", "down", "down", "ret"]),
        ("owner.cer", &["down", "ret"]),
        ("View key 0", &["down", "ret"]),
        ("Enroll the key(s)?", &["down", "ret"]),
        ("Reboot", &["ret"]),
    ] {
        // Its boxes reach the serial line in pieces, so their words cannot be waited for.
        std::thread::sleep(Duration::from_secs(10));
        eprintln!("{screen}");
        for key in keys {
            guest.press(&[key])?;
        }
    }
    guest.hear("the system", LIMIT, |heard| heard.find(STRICT))?;
    Ok(())
}

/// A key with its certificate.
pub struct Pair {
    key: PathBuf,
    certificate: PathBuf,
}

impl Pair {
    /// One that no firmware knows.
    pub fn owner() -> Self {
        let keys = workspace().join("crates/spec/src/signing/keys");
        Self {
            key: keys.join("owner.key"),
            certificate: keys.join("owner.pem"),
        }
    }

    /// What a profile says of it.
    pub fn section(&self) -> String {
        format!(
            "[security.signing]\nkey = \"{}\"\ncertificate = \"{}\"\n",
            self.key.display(),
            self.certificate.display()
        )
    }
}

/// What the firmware of the tests knows; its key has a passphrase that everybody knows.
fn snakeoil(folder: &Path) -> Result<Pair> {
    fs::create_dir_all(folder)?;
    let key = folder.join("snakeoil.key");
    output(
        Command::new("openssl")
            .args(["pkey", "-in", "/usr/share/ovmf/PkKek-1-snakeoil.key"])
            .args(["-passin", "pass:snakeoil", "-out"])
            .arg(&key),
    )?;
    Ok(Pair {
        key,
        certificate: "/usr/share/ovmf/PkKek-1-snakeoil.pem".into(),
    })
}

/// A console system that says whether Secure Boot is on.
fn build(kit: &Kit, folder: &Path, pair: Option<&Pair>, stripped: bool) -> Result<PathBuf> {
    let units = folder.join("units");
    let wants = units.join("multi-user.target.wants");
    fs::create_dir_all(&wants)?;
    fs::write(units.join("isosmith-strict.service"), UNIT)?;
    let link = wants.join("isosmith-strict.service");
    if !link.is_symlink() {
        std::os::unix::fs::symlink("../isosmith-strict.service", link)?;
    }
    fs::write(folder.join("strip.sh"), STRIP)?;
    let signing = pair.map_or_else(String::new, Pair::section);
    let strip = match stripped {
        true => "[[scripts]]\nsource = \"strip.sh\"\npoint = \"before-image\"\n",
        false => "",
    };
    let profile = folder.join("profile.toml");
    fs::write(
        &profile,
        format!(
            "format = 1\nextends = \"minimal\"\n[profile]\nname = \"signed\"\n\
             [boot]\nserial = {{ unit = 0, speed = 115200 }}\n\
             [[files]]\nsource = \"units\"\ntarget = \"/etc/systemd/system\"\n{signing}{strip}"
        ),
    )?;
    let isosmith = kit.isosmith(folder).env(
        "ISOSMITH_PROFILES",
        &workspace().join("profiles").display().to_string(),
    );
    isosmith.build(&profile)?.iso()
}

/// A file of the medium.
fn of_medium(iso: &Path, path: &str, folder: &Path) -> Result<Vec<u8>> {
    let to = folder.join("of-medium");
    let _ = fs::remove_file(&to);
    output(
        Command::new("xorriso")
            .args(["-osirrox", "on", "-indev"])
            .arg(iso)
            .args(["-extract", path])
            .arg(&to),
    )?;
    Ok(fs::read(&to)?)
}
