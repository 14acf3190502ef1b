//! The command line as an ordinary user meets it; nothing is built. Touches temporary
//! folders only.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops with a message"
)]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use isosmith_tests::{Kit, kit::workspace};

/// Runs the program in the workspace with folders of its own.
fn isosmith(args: &[&str]) -> Output {
    let kit = Kit::new().expect("a program to test");
    let folder = tempfile::tempdir().expect("a folder");
    Command::new(&kit.program)
        .args(args)
        .current_dir(workspace())
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", folder.path())
        .args([
            "--state-dir",
            &folder.path().join("state").display().to_string(),
        ])
        .args([
            "--cache-dir",
            &folder.path().join("cache").display().to_string(),
        ])
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs and compares: exit status, and what must be said on either stream.
fn check(args: &[&str], status: i32, out: &[&str], err: &[&str]) {
    let run = isosmith(args);
    let (stdout, stderr) = (text(&run.stdout), text(&run.stderr));
    assert_eq!(
        run.status.code(),
        Some(status),
        "{args:?}\n{stdout}\n{stderr}"
    );
    for (stream, wanted) in [(&stdout, out), (&stderr, err)] {
        for words in wanted {
            assert!(
                stream.contains(words),
                "{args:?} does not say {words:?}:\n{stdout}\n{stderr}"
            );
        }
    }
}

fn json(args: &[&str]) -> serde_json::Value {
    let run = isosmith(args);
    assert!(run.status.success(), "{args:?}: {}", text(&run.stderr));
    serde_json::from_slice(&run.stdout)
        .unwrap_or_else(|error| panic!("{args:?} prints no JSON: {error}"))
}

#[test]
fn every_command_explains_itself() {
    for command in [
        "build",
        "check",
        "plan",
        "profiles",
        "builds",
        "resume",
        "cancel",
        "attach",
        "answer",
        "clean",
        "verify",
        "test-boot",
        "schema",
        "completions",
        "man",
    ] {
        check(&["--help"], 0, &[command], &[]);
        check(&[command, "--help"], 0, &["Usage:", "--state-dir"], &[]);
    }
    check(&["--help"], 0, &["Exit status:", "130"], &[]);
    check(&["--version"], 0, &["isosmith 0."], &[]);
}

#[test]
fn a_wrong_command_line_is_told_apart_from_a_wrong_profile() {
    check(&[], 2, &[], &["Usage"]);
    check(&["biuld"], 2, &[], &["build"]);
    check(&["build"], 2, &[], &["PROFILE"]);
    check(
        &["plan", "minimal", "--no-such-option"],
        2,
        &[],
        &["--no-such-option"],
    );
    check(
        &["clean", "--all", "--unused", "3"],
        2,
        &[],
        &["cannot be used with"],
    );
    check(
        &["check", "no-such-profile"],
        3,
        &[],
        &["no profile no-such-profile", "minimal"],
    );
    check(&["resume", "../../etc"], 3, &[], &["no build's id"]);
    check(
        &["check", "minimal", "--set", "image.compression=rar"],
        3,
        &[],
        &["image.compression", "rar"],
    );
    check(
        &["check", "minimal", "--set", "image.compresion=xz"],
        3,
        &[],
        &["compresion", "compression"],
    );
}

#[test]
fn a_build_that_is_not_there_cannot_be_resumed_or_stopped() {
    let id = "20260101-000000-nothing-0000";
    for command in ["resume", "cancel", "attach"] {
        let run = isosmith(&[command, id]);
        assert!(!run.status.success(), "{command}");
        assert!(
            text(&run.stderr).contains(id),
            "{command} names the build: {}",
            text(&run.stderr)
        );
    }
    check(&["builds"], 0, &[], &[]);
    assert_eq!(json(&["builds", "--json"]), serde_json::json!([]));
}

#[test]
fn without_the_service_it_is_clear_what_cannot_be_done() {
    let id = "20260101-000000-nothing-0000";
    let no_bus = "unix:path=/nonexistent/bus";
    for (args, status, says) in [
        (&["attach"][..], 3, "no build is running"),
        (&["attach", "--direct"], 3, "no build is running"),
        (&["attach", id, "--direct"], 3, id),
        (&["answer", "retry"], 3, "no build is running"),
        (&["answer", id, "stop"], 3, id),
        (&["answer", id, "perhaps"], 2, "perhaps"),
        (&["answer", id], 2, "CHOICE"),
        (&["attach", "../x"], 3, "no build's id"),
        (
            &["builds", "--service", "--direct"],
            2,
            "cannot be used with",
        ),
        (&["builds", "--everybody"], 2, "cannot be used with"),
        (&["clean", "--direct", "--dry-run"], 0, ""),
    ] {
        check(args, status, &[], &[says]);
    }
    let kit = Kit::new().expect("a program to test");
    for args in [
        &["attach"][..],
        &["cancel", id],
        &["builds"],
        &["clean"],
        &["build", "minimal"],
    ] {
        let run = Command::new(&kit.program)
            .args(args)
            .arg("--service")
            .current_dir(workspace())
            .env_clear()
            .env("HOME", "/nonexistent")
            .env("DBUS_SYSTEM_BUS_ADDRESS", no_bus)
            .output()
            .expect("the program starts");
        assert_eq!(
            run.status.code(),
            Some(8),
            "{args:?}: {}",
            text(&run.stderr)
        );
        let said = text(&run.stderr);
        assert!(
            said.contains("service") && said.contains("--direct"),
            "{args:?}: {said}"
        );
    }
}

#[test]
fn a_misspelt_profile_is_guessed() {
    check(&["check", "minimla"], 3, &[], &["minimal"]);
}

#[test]
fn shipped_profiles_have_no_problems() {
    let listed = json(&["profiles", "--json"]);
    let names: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|profile| profile["name"].as_str())
        .collect();
    for name in ["minimal", "standard", "rescue"] {
        assert!(names.contains(&name), "{names:?}");
        check(&["check", name], 0, &["no problems"], &[]);
    }
}

/// Profiles that are wrong in one way, and what is said about it: more of them are in the
/// tests of the crate that checks them; here it counts that they reach the person.
#[test]
fn bad_profiles_give_their_messages() {
    let head = "format = 1\n[profile]\nname = \"x\"\n";
    let long = format!("{head}[image]\nlabel = \"{}\"\n", "L".repeat(33));
    for (profile, field) in [
        ("", "format"),
        ("format = 2\n[profile]\nname = \"x\"\n", "format"),
        ("format = 1\n[profile\n", "TOML"),
        ("format = 1\n[profile]\nname = \"../x\"\n", "profile.name"),
        (&long, "image.label"),
        (
            &format!("{head}[software]\npackages = [\"-oAPT::Get::AllowUnauthenticated=true\"]\n"),
            "software.packages[0]",
        ),
        (
            &format!("{head}[software]\npackages = [\"a b\"]\n"),
            "software.packages[0]",
        ),
        (&format!("{head}[software]\npackage = []\n"), "packages"),
        (
            &format!("{head}[[files]]\nsource = \"a\"\ntarget = \"/../etc\"\n"),
            "files[0].target",
        ),
        (
            &format!(
                "{head}[[base.repositories]]\nname = \"x\"\nuri = \"http://example.org\"\nsuite = \"s\"\n"
            ),
            "key",
        ),
        (&format!("{head}extends = \"x\"\n"), "extends"),
        (
            &format!("{head}[branding]\nlogo = \"missing.svg\"\n"),
            "branding.logo",
        ),
        (
            &format!("{head}[branding]\nname = \"a\\u0007b\"\n"),
            "branding.name",
        ),
        (
            &format!("{head}[boot]\nbios = \"none\"\nuefi = false\n"),
            "boot",
        ),
        (
            &format!("{head}[region]\ntimezone = \"../../etc/passwd\"\n"),
            "region.timezone",
        ),
        (
            &format!("{head}[kernel]\ncmdline = [\"a b\"]\n"),
            "kernel.cmdline[0]",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile.toml");
        fs::write(&path, profile).unwrap();
        check(&["check", path.to_str().unwrap()], 3, &[], &[field]);
        check(&["build", path.to_str().unwrap()], 3, &[], &[field]);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "something was left by {profile:?}"
        );
    }
}

#[test]
fn problems_can_be_had_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.toml");
    fs::write(&path, "format = 1\n[profile]\nname = \"x\"\n[region]\nhostname = \"a_b\"\ntimezone = \"Nowhere at all\"\n").unwrap();
    let run = isosmith(&["check", "--json", path.to_str().unwrap()]);
    assert!(!run.status.success());
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let mut paths: Vec<&str> = said["problems"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|problem| problem["path"].as_str())
        .collect();
    paths.sort_unstable();
    assert_eq!(paths, ["region.hostname", "region.timezone"], "all at once");
    for problem in said["problems"].as_array().unwrap() {
        assert!(
            !problem["message"].as_str().unwrap().is_empty()
                && !problem["fix"].as_str().unwrap().is_empty(),
            "{problem}"
        );
    }
}

/// A profile's folder in which nearly everything is wrong, some of it in its files only.
fn everything_wrong(field: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files: [(&str, &[u8]); 8] = [
        ("logo.png", b"GIF89a"),
        ("wall.svg", b"<svg xmlns='http://www.w3.org/2000/svg'"),
        ("secret.asc", b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"),
        ("tool.deb", b"<html>"),
        ("windows.sh", b"#!/bin/sh\r\necho a\r\n"),
        ("good.sh", b"#!/bin/sh\n"),
        ("owner.key", b"no key"),
        ("owner.pem", b"no certificate"),
    ];
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let profile = format!(
        "format = 1\n[profile]\nname = \"x\"\n{field}\n\
         [branding]\nlogo = \"logo.png\"\nwallpaper = \"wall.svg\"\n\
         [software]\ndebs = [\"tool.deb\"]\n\
         [[scripts]]\nsource = \"good.sh\"\npoint = \"after-base\"\n\
         [[scripts]]\nsource = \"windows.sh\"\npoint = \"after-base\"\n\
         [[scripts]]\nsource = \"missing.sh\"\npoint = \"after-base\"\n\
         [[base.repositories]]\nname = \"r\"\nuri = \"http://r.example.org\"\nsuite = \"s\"\n\
         components = [\"main\"]\nkey = \"secret.asc\"\n\
         [security.signing]\nkey = \"owner.key\"\ncertificate = \"owner.pem\"\n"
    );
    fs::write(folder.path().join("profile.toml"), profile).unwrap();
    folder
}

#[test]
fn a_wrong_field_or_file_hides_no_other() {
    let files = [
        ("base.repositories[0].key", "is a private key"),
        ("branding.logo", "is neither SVG, PNG, JPEG nor WebP"),
        ("branding.wallpaper", "wall.svg"),
        ("scripts[1].source", "line ends of Windows"),
        ("scripts[2].source", "No such file"),
        ("security.signing.certificate", "owner.pem"),
        ("software.debs[0]", "is not a Debian package"),
    ];
    let wrong_field = ("region.timezone", "Nowhere");
    for (field, status, more) in [
        ("", 3, None),
        (
            "[region]\ntimezone = \"Nowhere at all\"",
            1,
            Some(wrong_field),
        ),
    ] {
        let folder = everything_wrong(field);
        let path = folder.path().to_str().unwrap();
        let want: Vec<(&str, &str)> = files.into_iter().chain(more).collect();
        let words: Vec<&str> = want.iter().flat_map(|(path, why)| [*path, *why]).collect();
        check(&["check", path], 3, &[], &words);

        let run = isosmith(&["check", "--json", path]);
        assert_eq!(run.status.code(), Some(status), "{}", text(&run.stderr));
        let said: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
        let problems = said["problems"].as_array().unwrap();
        assert_eq!(problems.len(), want.len(), "{said:#}");
        for (path, why) in want {
            let found = problems.iter().find(|problem| problem["path"] == path);
            let found = found.unwrap_or_else(|| panic!("{path} is not in {said:#}"));
            assert!(found["message"].as_str().unwrap().contains(why), "{found}");
            assert_ne!(found["fix"], "", "{found}");
            assert_eq!(
                found["origin"],
                format!("profile {}", folder.path().display())
            );
        }
    }
}

#[test]
fn a_profile_that_cannot_be_read_is_a_problem_in_json_too() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("latin.toml"), b"format = 1 # \xe4").unwrap();
    fs::write(at("huge.toml"), vec![b'#'; (4 << 20) + 1]).unwrap();
    for (profile, says) in [
        (at("missing.toml"), "missing.toml"),
        ("no-such-profile".to_owned(), "no-such-profile"),
        (at("latin.toml"), "UTF-8"),
        (at("huge.toml"), "larger than"),
    ] {
        let run = isosmith(&["check", "--json", &profile]);
        assert_eq!(run.status.code(), Some(3), "{profile}");
        let said: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
        let problem = &said["problems"][0];
        let message = problem["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
        assert_ne!(problem["fix"], "", "{said}");
    }
}

#[test]
fn a_brand_that_will_not_look_as_meant_is_warned_of_and_not_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.toml");
    for (branding, code) in [
        ("name = \"Plain\"\n", None),
        (
            "name = \"Grey\"\ntext = \"#445566\"\nbackground = \"#445566\"\n",
            Some("low_contrast"),
        ),
        (
            "name = \"\u{13000}\"\nshort_name = \"x\"\n",
            Some("missing_characters"),
        ),
    ] {
        let text = format!(
            "format = 1\nextends = \"minimal\"\n[profile]\nname = \"x\"\n[branding]\n{branding}"
        );
        fs::write(&path, text).unwrap();
        let said = json(&["check", "--json", path.to_str().unwrap()]);
        assert_eq!(said["problems"], serde_json::json!([]), "{branding}");
        let warnings = said["warnings"].as_array().unwrap();
        match code {
            None => assert!(warnings.is_empty(), "{said:#}"),
            Some(code) => {
                let found = warnings.iter().find(|warning| warning["code"] == code);
                let found = found.unwrap_or_else(|| panic!("no {code} in {said:#}"));
                let message = found["message"].as_str().unwrap();
                check(
                    &["check", path.to_str().unwrap()],
                    0,
                    &["no problems"],
                    &[message],
                );
            }
        }
    }
}

#[test]
fn what_is_probably_not_meant_is_said_with_its_field() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.toml");
    let text =
        "format = 1\nextends = \"minimal\"\n[profile]\nname = \"x\"\n[users]\nlive = false\n";
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let said = json(&["check", "--json", path]);
    assert_eq!(said["warnings"][0]["path"], "users", "{said:#}");
    check(
        &["check", path],
        0,
        &["no problems"],
        &["users: nobody can log in", "autologin = true"],
    );
}

#[test]
fn a_plan_names_every_step_and_every_value_s_origin() {
    let plan = json(&["plan", "minimal", "--json"]);
    let steps: Vec<&str> = plan
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|step| step["step"]["id"].as_str())
        .collect();
    for id in [
        "preflight",
        "resolve",
        "base",
        "packages",
        "initramfs",
        "clean",
        "squashfs",
        "iso",
        "verify",
    ] {
        assert!(steps.contains(&id), "{steps:?}");
    }
    assert_eq!(steps.iter().filter(|id| **id == "initramfs").count(), 1);
    check(
        &[
            "plan",
            "standard",
            "--explain",
            "--set",
            "image.compression=zstd:19",
        ],
        0,
        &[
            "image.compression = \"zstd:19\"",
            "command line",
            "region.hostname = \"standard\"",
            "minimal",
        ],
        &[],
    );
}

#[test]
fn the_schema_is_the_one_that_ships() {
    let shipped = fs::read_to_string(workspace().join("profiles/schema.json")).unwrap();
    let shipped: serde_json::Value = serde_json::from_str(&shipped).unwrap();
    assert_eq!(
        json(&["schema"]),
        shipped,
        "profiles/schema.json is old; run `cargo xtask generate`"
    );
}

#[test]
fn shells_and_manuals_get_their_texts() {
    for shell in ["bash", "zsh", "fish"] {
        check(&["completions", shell], 0, &["isosmith", "test-boot"], &[]);
    }
    let folder = tempfile::tempdir().unwrap();
    check(&["man", folder.path().to_str().unwrap()], 0, &[], &[]);
    for page in ["isosmith.1", "isosmith-build.1"] {
        assert!(Path::exists(&folder.path().join(page)), "{page}");
    }
}

#[test]
fn verify_refuses_what_is_no_iso() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.iso");
    for content in [&b""[..], &[0; 40_000], b"CD001"] {
        fs::write(&path, content).unwrap();
        let run = isosmith(&["verify", path.to_str().unwrap()]);
        assert!(!run.status.success());
        assert!(text(&run.stderr).contains("x.iso"), "{}", text(&run.stderr));
    }
}
