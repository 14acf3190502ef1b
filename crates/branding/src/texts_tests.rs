use std::process::Command;

use super::*;

fn debian() -> DebianFacts {
    DebianFacts {
        codename: "trixie".to_owned(),
        version_id: Some("13".to_owned()),
        version_full: Some("13.1".to_owned()),
    }
}

/// What a shell makes of a variable of the file.
fn sourced(text: &str, variable: &str) -> String {
    let script = format!("{text}\nprintf %s \"${variable}\"");
    let output = Command::new("sh")
        .args(["-ec", &script])
        .output()
        .expect("sh");
    assert!(output.status.success(), "{text}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_shell_reads_back_exactly_what_was_written() {
    let check = |name: &str, want: &str| {
        let brand = Brand {
            name: name.to_owned(),
            ..Brand::sample()
        };
        let text = os_release(&brand, &debian(), None);
        assert_eq!(sourced(&text, "NAME"), want, "{text}");
        assert_eq!(
            sourced(&text, "PRETTY_NAME"),
            format!("{want} 1.0 (Boreas)"),
            "{text}"
        );
    };
    check("Aurora OS", "Aurora OS");
    check("Aurora", "Aurora");
    check(r#"A "quoted" name"#, r#"A "quoted" name"#);
    check("$(touch /tmp/owned) $HOME", "$(touch /tmp/owned) $HOME");
    check("`id` 'x' !", "`id` 'x' !");
    check(r"back\slash\", r"back\slash\");
    check("Größe ❤ 漢字", "Größe ❤ 漢字");
    check("two\nlines\tand\u{1b}[0m", "two lines and [0m");
    check("A;B&C|D>E<F(G)H#I", "A;B&C|D>E<F(G)H#I");
}

#[test]
fn os_release_names_the_product_and_leads_tools_to_debian() {
    let text = os_release(&Brand::sample(), &debian(), None);
    let check =
        |variable: &str, want: &str| assert_eq!(sourced(&text, variable), want, "{variable}");
    check("ID", "aurora");
    check("ID_LIKE", "debian");
    check("VERSION", "1.0 (Boreas)");
    check("VERSION_ID", "1.0");
    check("VERSION_CODENAME", "trixie");
    check("DEBIAN_CODENAME", "trixie");
    check("DEBIAN_VERSION_FULL", "13.1");
    check("ANSI_COLOR", "38;2;245;158;46");
}

#[test]
fn empty_fields_are_left_out() {
    let brand = Brand {
        version: String::new(),
        codename: String::new(),
        ..Brand::sample()
    };
    let debian = DebianFacts {
        codename: "sid".to_owned(),
        version_id: None,
        version_full: None,
    };
    let text = os_release(&brand, &debian, None);
    assert_eq!(sourced(&text, "PRETTY_NAME"), "Aurora OS");
    for key in [
        "VERSION=",
        "VERSION_ID=",
        "HOME_URL=",
        "VENDOR_NAME=",
        "DEBIAN_VERSION_ID=",
    ] {
        assert!(
            !text.lines().any(|line| line.starts_with(key)),
            "{key} in {text}"
        );
    }
}

#[test]
fn version_ids_are_made_valid() {
    let check = |version: &str, want: &str| assert_eq!(identifier(version), want, "{version}");
    check("1.0", "1.0");
    check("24.04 LTS", "24.04-lts");
    check(" (beta) ", "beta");
    check("größer", "gr--er");
}

#[test]
fn issue_shows_backslashes_instead_of_obeying_them() {
    let brand = Brand {
        name: r"Aurora \r".to_owned(),
        ..Brand::sample()
    };
    assert_eq!(issue(&brand), "Aurora \\\\r 1.0 \\n \\l\n\n");
    assert_eq!(issue_net(&brand), "Aurora \\r 1.0\n");
}

#[test]
fn motd_is_the_brands_own_or_made_from_the_name() {
    let own = Brand {
        motd: Some("One\nTwo\u{1b}[2J\n\n".to_owned()),
        ..Brand::sample()
    };
    assert_eq!(motd(&own), "One\nTwo[2J\n");
    let mut made = Brand::sample();
    made.urls.support = Some("https://example.org/help".to_owned());
    let text = motd(&made);
    assert!(text.contains("Welcome to Aurora OS 1.0\n"), "{text}");
    assert!(
        text.contains("Support:       https://example.org/help\n"),
        "{text}"
    );
}

#[test]
fn the_medium_is_labelled_on_one_line() {
    let check = |brand: Brand, want: &str| assert_eq!(disk_info(&brand, "amd64", "20260101"), want);
    check(
        Brand::sample(),
        "Aurora OS 1.0 \"Boreas\" - amd64 20260101\n",
    );
    let plain = Brand {
        version: String::new(),
        codename: String::new(),
        ..Brand::sample()
    };
    check(plain, "Aurora OS - amd64 20260101\n");
}
