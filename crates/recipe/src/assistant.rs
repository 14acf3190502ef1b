//! The AI helper's Debian package, as values: which files it has and what they say. The step
//! that makes and installs it is `steps::assistant`.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use isosmith_engine::Failure;
use isosmith_protocol::Code;
use isosmith_spec::{
    MaterialKind,
    model::{Assistant, BuildSpec, ModelInterface},
};
use md5::{Digest, Md5};

use crate::materials::{Material, hex, take};

/// The package's name.
pub(crate) const NAME: &str = "isosmith-ai-helper";

/// Under this name the program is kept among the files of a build.
const KEPT_AS: &str = "ai-helper";

/// Where its settings are in the finished system.
pub(crate) const CONFIG: &str = "etc/isosmith-ai/config.toml";

/// What every such package has, whatever the profile says. What is called `.gz` is compressed
/// when the package is made (Debian policy 12.1 and 12.7).
const DATA: &[(&str, &[u8])] = &[
    (
        "usr/share/applications/org.isosmith.Ai.desktop",
        include_bytes!("../../../packaging/ai-helper/org.isosmith.Ai.desktop"),
    ),
    (
        "usr/share/icons/hicolor/scalable/apps/isosmith-ai.svg",
        include_bytes!("../../../packaging/ai-helper/isosmith-ai.svg"),
    ),
    (
        "usr/share/icons/hicolor/48x48/apps/isosmith-ai.png",
        include_bytes!("../../../packaging/ai-helper/isosmith-ai-48.png"),
    ),
    (
        "usr/share/icons/hicolor/128x128/apps/isosmith-ai.png",
        include_bytes!("../../../packaging/ai-helper/isosmith-ai-128.png"),
    ),
    (
        "usr/share/doc/isosmith-ai-helper/copyright",
        include_bytes!("../../../packaging/ai-helper/copyright"),
    ),
    (
        "usr/share/doc/isosmith-ai-helper/changelog.gz",
        include_bytes!("../../../packaging/ai-helper/changelog"),
    ),
    (
        "usr/share/man/man1/ai.1.gz",
        include_bytes!("../../../packaging/ai-helper/ai.1"),
    ),
];

const DESCRIPTION: &str = "asks a language model, from a terminal
 The command ai sends questions to a server with a language model, on this
 machine or elsewhere, and shows the answers as they come. It explains errors
 and logs that are piped to it.
 .
 It sends nothing before the person has agreed, and cuts passwords, keys and
 tokens out of what it sends.";

/// Finds the AI helper's program, which comes with Isosmith, and copies it into `into`; only
/// reads and hashes it when that is `None`. `None` for a profile without `[ai]`.
///
/// # Errors
///
/// [`Code::CommandMissing`] when Isosmith is not installed as a whole.
pub fn collect(spec: &BuildSpec, into: Option<&Path>) -> Result<Option<Material>, Failure> {
    if spec.assistant.is_none() {
        return Ok(None);
    }
    let own = env::current_exe().map_err(|error| Failure::io("find Isosmith's program", error))?;
    let places = places(&own);
    let Some(found) = places.iter().find(|place| place.exists()) else {
        let looked: Vec<_> = places
            .iter()
            .map(|place| place.display().to_string())
            .collect();
        return Err(Failure::new(
            Code::CommandMissing,
            format!(
                "the AI helper's program, which `ai` in the profile asks for, is missing: there is no {}",
                looked.join(" and no ")
            ),
            "Install Isosmith's package anew; in its source, run: cargo build -p isosmith-ai-helper. Or take `ai` out of the profile.",
        ));
    };
    let to = into.map(|into| into.join(KEPT_AS));
    let material = take(found, to.as_deref(), MaterialKind::Overlay)
        .map_err(|error| Failure::io_at("read", found, error))?;
    Ok(Some(material))
}

/// Where the program may be, for an Isosmith at `own`: in the folder that its package has for
/// it, or as cargo has built both. Below `/usr` another program may be called `ai`.
fn places(own: &Path) -> Vec<PathBuf> {
    let folder = own.parent().unwrap_or(Path::new("/"));
    let installed = folder
        .parent()
        .unwrap_or(Path::new("/"))
        .join("lib/isosmith/ai-helper");
    let beside = (!own.starts_with("/usr")).then(|| folder.join("ai"));
    [installed].into_iter().chain(beside).collect()
}

/// The path and the bytes of what is in every such package.
pub(crate) fn data() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    DATA.iter().copied()
}

/// A file of the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageFile {
    /// Where it lies, without the first slash.
    pub(crate) path: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) mode: u32,
}

/// Every file of the package but those that are about the package itself.
///
/// # Errors
///
/// When the program cannot be read.
pub(crate) fn files(
    assistant: &Assistant,
    program: &Material,
) -> Result<Vec<PackageFile>, Failure> {
    let read = |path: &Path| fs::read(path).map_err(|error| Failure::io_at("read", path, error));
    let plain = |path, bytes| PackageFile {
        path,
        bytes,
        mode: 0o644,
    };
    let mut files = Vec::new();
    for (path, bytes) in data() {
        let bytes = match path.ends_with(".gz") {
            true => gzip(bytes).map_err(|error| Failure::io("compress", error))?,
            false => bytes.to_vec(),
        };
        files.push(plain(path, bytes));
    }
    files.push(plain(CONFIG, config(assistant).into_bytes()));
    let bytes = if program.is_dir {
        files.push(plain(
            "usr/share/doc/isosmith-ai-helper/crates.txt",
            read(&program.path.join("crates.txt"))?,
        ));
        read(&program.path.join("ai"))?
    } else {
        read(&program.path)?
    };
    files.push(PackageFile {
        path: "usr/bin/ai",
        bytes,
        mode: 0o755,
    });
    files.sort_by_key(|file| file.path);
    Ok(files)
}

/// As `gzip -9n` does: no name and no time, so that it is the same each time.
fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    writer.write_all(bytes)?;
    writer.finish()
}

/// The file of settings, which the person who uses the system may change.
pub(crate) fn config(assistant: &Assistant) -> String {
    let interface = match assistant.interface {
        ModelInterface::Ollama => "ollama",
        ModelInterface::OpenAi => "openai",
    };
    let quoted = |text: &str| toml::Value::String(text.to_owned());
    format!(
        "# Which language model the command ai asks; see ai(1). A person's own settings are in\n\
         # ~/.config/isosmith-ai/config.toml and go over these; `ai setup` writes them.\n\
         interface = \"{interface}\"\n\
         endpoint = {}\n\
         model = {}\n",
        quoted(assistant.endpoint.as_str()),
        quoted(&assistant.model)
    )
}

/// What the package says about itself, by the name of each file (deb(5), deb-control(5),
/// deb-conffiles(5), deb-md5sums(5)).
pub(crate) fn about(files: &[PackageFile]) -> Vec<(&'static str, String)> {
    let program = files
        .iter()
        .find(|file| file.path == "usr/bin/ai")
        .map_or(&[][..], |file| &file.bytes);
    // As dpkg-gencontrol(1) counts, roughly: each file in whole KiB, and one for its folder.
    let size: usize = files
        .iter()
        .map(|file| file.bytes.len().div_ceil(1024) + 1)
        .sum();
    let control = format!(
        "Package: {NAME}\n\
         Version: {}\n\
         Architecture: amd64\n\
         Maintainer: The Isosmith contributors <isosmith@users.noreply.github.com>\n\
         Installed-Size: {size}\n\
         Depends: libc6 (>= {}), libgcc-s1\n\
         Recommends: ca-certificates\n\
         Section: utils\n\
         Priority: optional\n\
         Homepage: https://github.com/isosmith/isosmith\n\
         Description: {DESCRIPTION}\n",
        version(),
        needed_glibc(program)
    );
    let sums: String = files
        .iter()
        .filter(|file| file.path != CONFIG)
        .map(|file| format!("{}  {}\n", hex(&Md5::digest(&file.bytes)), file.path))
        .collect();
    vec![
        ("control", control),
        ("conffiles", format!("/{CONFIG}\n")),
        ("md5sums", sums),
    ]
}

/// The package's version: Isosmith's.
pub(crate) const fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The file name of the package (deb-control(5)).
pub(crate) fn file_name() -> String {
    format!("{NAME}_{}_amd64.deb", version())
}

/// The newest version of the C library that a program wants symbols of: the names of versions
/// stand in its string table (Linux Standard Base, "Symbol Versioning"). It runs where that
/// version is, so the package must not be installed where it is not.
fn needed_glibc(program: &[u8]) -> String {
    const START: &[u8] = b"GLIBC_2.";
    // What the first version of Rust's standard library that we compile with wants.
    const LEAST: u32 = 17;

    let newest = program
        .windows(START.len())
        .enumerate()
        .filter(|(_, window)| *window == START)
        .filter_map(|(at, _)| {
            let rest = &program[at + START.len()..];
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let ends = matches!(rest.get(digits), Some(0 | b'.'));
            let text = std::str::from_utf8(&rest[..digits.min(4)]).ok()?;
            ends.then(|| text.parse::<u32>().ok()).flatten()
        })
        .max();
    format!("2.{}", newest.unwrap_or(LEAST).max(LEAST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assistant(text: &str) -> Assistant {
        let text = format!("format = 1\n[profile]\nname = \"demo\"\n[ai]\n{text}");
        let origin = isosmith_spec::Origin::Profile("demo".into());
        let layer = isosmith_spec::Layer::new(origin, "", text);
        let (spec, _) = isosmith_spec::load(vec![layer], &|_| None).expect("a good profile");
        spec.assistant.expect("an assistant")
    }

    const AI: &str =
        "interface = \"openai\"\nendpoint = \"https://ai.example.org/v1\"\nmodel = \"m:1\"";

    fn program(bytes: &[u8]) -> (tempfile::TempDir, Material) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("ai");
        fs::write(&path, bytes).expect("written");
        let material = take(&path, None, MaterialKind::Overlay).expect("read");
        (folder, material)
    }

    #[test]
    fn the_program_is_looked_for_where_it_is_ours() {
        for (own, found) in [
            ("/usr/bin/isosmith", &["/usr/lib/isosmith/ai-helper"][..]),
            (
                "/usr/libexec/isosmith-helper",
                &["/usr/lib/isosmith/ai-helper"],
            ),
            (
                "/src/target/debug/isosmith",
                &["/src/target/lib/isosmith/ai-helper", "/src/target/debug/ai"],
            ),
        ] {
            let found: Vec<PathBuf> = found.iter().map(PathBuf::from).collect();
            assert_eq!(places(Path::new(own)), found, "{own}");
        }
    }

    #[test]
    fn the_settings_are_those_of_the_profile() {
        let text = config(&assistant(AI));
        let value: toml::Table = text.parse().expect("TOML");
        assert_eq!(value["interface"].as_str(), Some("openai"));
        assert_eq!(
            value["endpoint"].as_str(),
            Some("https://ai.example.org/v1")
        );
        assert_eq!(value["model"].as_str(), Some("m:1"));
    }

    #[test]
    fn the_package_says_what_it_is() {
        let (_folder, program) = program(b"\x7fELF\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.99x\0");
        let files = files(&assistant(AI), &program).expect("files");
        let about: std::collections::BTreeMap<_, _> = about(&files).into_iter().collect();
        for line in [
            "Package: isosmith-ai-helper\n",
            concat!("\nVersion: ", env!("CARGO_PKG_VERSION"), "\n"),
            "\nArchitecture: amd64\n",
            "\nDepends: libc6 (>= 2.34), libgcc-s1\n",
        ] {
            assert!(about["control"].contains(line), "{}", about["control"]);
        }
        assert_eq!(about["conffiles"], "/etc/isosmith-ai/config.toml\n");
        assert!(about["md5sums"].contains("  usr/bin/ai\n"));
        assert!(!about["md5sums"].contains("etc/"));
        assert_eq!(about["md5sums"].lines().count(), files.len() - 1);
        for file in files.iter().filter(|file| file.path.ends_with(".gz")) {
            let (_, plain) = data().find(|(path, _)| *path == file.path).expect("data");
            let mut read = String::new();
            io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*file.bytes), &mut read)
                .expect("gzip");
            assert_eq!(read.as_bytes(), plain, "{}", file.path);
        }
        let sorted = files.is_sorted_by_key(|file| file.path);
        assert!(sorted, "the same package whatever order");
    }

    #[test]
    fn the_list_of_crates_comes_from_the_installed_folder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["ai", "crates.txt"] {
            fs::write(folder.path().join(name), name).expect("written");
        }
        let material = take(folder.path(), None, MaterialKind::Overlay).expect("read");
        let files = files(&assistant(AI), &material).expect("files");
        let find = |path: &str| files.iter().find(|file| file.path == path);
        assert_eq!(find("usr/bin/ai").map(|file| file.mode), Some(0o755));
        assert!(find("usr/share/doc/isosmith-ai-helper/crates.txt").is_some());
    }

    #[test]
    fn the_desktop_entry_names_what_the_package_has() {
        let text = |end: &str| {
            let (_, bytes) = DATA
                .iter()
                .find(|(path, _)| path.ends_with(end))
                .expect("there");
            std::str::from_utf8(bytes).expect("UTF-8")
        };
        let entry = text(".desktop");
        assert!(entry.contains("\nExec=ai chat --wait\n"));
        assert!(entry.contains("\nTerminal=true\n"));
        assert!(entry.contains("\nIcon=isosmith-ai\n"));
        assert!(text("ai.1.gz").starts_with(".TH AI 1"));
        let newest = format!("{NAME} ({}) ", version());
        assert!(text("changelog.gz").starts_with(&newest));
    }
}
