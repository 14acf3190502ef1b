//! The borders of each name's rule.

use isosmith_spec::Reason;
use isosmith_spec::model::{Colour, Compression, MenuEntry, Mirror, Suite};
use isosmith_spec::names::{
    Codename, Component, DebconfQuestion, DesktopFileId, GroupName, Hostname, KernelParameter,
    Label, Locale, MaterialPath, ModuleName, OsId, PackageName, Port, Protocol, SnapshotTime,
    SourceDate, TargetPath, Timezone, UnitName, Uri, UserName, XkbName,
};

fn check<T: ToString>(parse: fn(&str) -> Result<T, Reason>, good: &[&str], bad: &[&str]) {
    for text in good {
        match parse(text) {
            Ok(value) => assert_eq!(value.to_string(), *text),
            Err(reason) => panic!("{text:?} is refused: {reason}"),
        }
    }
    let always = ["-x", "a\u{202e}b", "a\nb", "a\0b", "a\u{feff}"];
    for text in bad.iter().chain(&always) {
        if let Ok(value) = parse(text) {
            panic!("{text:?} is taken as {}", value.to_string());
        }
    }
}

#[test]
#[rustfmt::skip] // one row, one line
fn names() {
    check(PackageName::parse, &["g++", "libc6", "0ad", "libstdc++6", "memtest86+", "a.b"], &["", "a", "G", "+a", "a_b", "nano-", "a*", "a?"]);
    check(Component::parse, &["main", "non-free-firmware", "main/debian-installer"], &["", "a b", "../x", "/x"]);
    check(DebconfQuestion::parse, &["tzdata/Areas", "a/b/c"], &["", "a", "/a", "a/", "a//b", "a b/c"]);
    check(Hostname::parse, &["a", "a-1", "1a"], &["", "A", "a.b", "a_b", "a-", "ä"]);
    check(UserName::parse, &["a", "_apt", "www-data", "a1_"], &["", "A", "1a", "a.b", "a$", "abcdefghijklmnopqrstuvwxyz1234567"]);
    check(GroupName::parse, &["video", "systemd-journal"], &["", "a b", "0"]);
    check(Locale::parse, &["C.UTF-8", "en_US.UTF-8", "eo.UTF-8", "ast_ES.UTF-8", "ca_ES.UTF-8@valencia"], &["", "C", "POSIX", "en_US", "en_us.UTF-8", "en_US.utf8", "de_DE.ISO-8859-1", "de_DE@euro", "de_DE.UTF-8@"]);
    check(Timezone::parse, &["UTC", "Etc/UTC", "Etc/GMT+1", "Europe/Berlin", "America/Port-au-Prince", "America/Argentina/Buenos_Aires"], &["", "Berlin", "europe/berlin", "Europe/", "A/B/C/D", "Europe/../x", "/Europe/Berlin"]);
    check(KernelParameter::parse, &["quiet", "console=ttyS0,115200n8", "acpi_osi=!", "vfio-pci.ids=10de:1c82", "systemd.unit=rescue.target"], &["", "a b", "a\"b", "a'b", "a;b", "a\\b", "a`b", "{a}", "a&b", "a|b", "a<b", "=a", "#a", "ä"]);
    check(ModuleName::parse, &["snd-hda-intel", "8021q", "nouveau"], &["", "a.ko", "a/b", "a b"]);
    check(UnitName::parse, &["ssh.service", "getty@tty1.service", "getty@.service", "dev-sda1.swap", "a\\x2db.mount"], &["", "ssh", "ssh.conf", ".service", "@.service", "a/b.service", "a b.service"]);
    check(XkbName::parse, &["", "us", "de,us", ",nodeadkeys", "compose:caps,grp:alt_shift_toggle", "us(intl)"], &["a b", "a\"b", "$(a)"]);
    check(DesktopFileId::parse, &["vlc.desktop", "org.kde.dolphin.desktop", "4k.desktop"], &["", "vlc", ".desktop", "kde/x.desktop", "/usr/share/applications/vlc.desktop", "a b.desktop", "_x.desktop", "vlc.desktop;"]);
    check(Port::parse, &["1/tcp", "22/tcp", "65535/udp"], &["", "22", "ssh", "0/tcp", "022/tcp", "+22/tcp", "65536/tcp", "22/TCP", "22/sctp", "22/tcp/x", "22-24/tcp", "/tcp", "22/"]);
    check(Label::parse, &["A", "DEBIAN_13.1-LIVE", "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"], &["", "a", "A B", "Ä", "A!", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"]);
    check(OsId::parse, &["debian", "opensuse-leap", "a.b_c"], &["", "Debian", ".a", "a b"]);
    check(Codename::parse, &["", "trixie"], &["Trixie", "a b"]);
    check(SnapshotTime::parse, &["20260131T000000Z", "20240229T235959Z"], &["", "20260131", "20260131T000000", "20250229T000000Z", "20260131T240000Z", "20261301T000000Z", "２0260131T000000Z"]);
    check(Uri::parse, &["http://a", "https://a.example:8080/debian/", "file:///srv/mirror", "https://a/%7Eb", "http://10.0.0.1/x"], &["", "a", "ftp://a", "http://", "file://", "file:///", "http://u@a", "http://u:p@a", "http://[::1]/", "http://a b", "http://a/#b", "http://a\"b", "http://a/'b", "http://a/%", "http://a/%00", "http://a/%zz", "http://a:0", "http://a:+1", "http://-a", "http://a..b", "http://a/../b", "javascript:x"]);
    check(MaterialPath::parse, &["a", "a/b.c", "/srv/a b", "Grüße.svg", "a..b"], &["", "..", "../a", "a/../b", "a/..", "~/a"]);
    check(TargetPath::parse, &["/etc", "/etc/a b", "/usr/local/bin/x", "/runner", "/var/lib"], &["", "etc", "/", "/etc/", "//etc", "/etc//a", "/etc/./a", "/etc/../a", "/proc/x", "/sys", "/dev/null", "/run/x", "/tmp", "/var/run/x"]);
    check(str::parse::<Colour>, &["#000000", "#1b6acb", "#ffffff"], &["", "#", "1b6acb", "#12", "#1234", "#12345g"]);
    check(str::parse::<Compression>, &["zstd:1", "zstd:22", "xz", "gzip:9", "lz4", "lz4:hc", "lzo:1"], &["", "zstd:0", "zstd:23", "zstd:+1", "zstd:", "gzip:10", "xz:1", "lz4:9", "bzip2"]);
    check(str::parse::<Mirror>, &["auto", "http://a/debian"], &["", "Auto"]);
}

#[test]
fn levels_that_are_left_out() {
    for (text, full) in [("zstd", "zstd:15"), ("gzip", "gzip:9"), ("lzo", "lzo:8")] {
        assert_eq!(
            text.parse::<Compression>().map(|c| c.to_string()),
            Ok(full.to_owned())
        );
    }
}

#[test]
fn words_go_there_and_back() {
    for suite in Suite::ALL {
        assert_eq!(suite.as_str().parse(), Ok(*suite));
    }
    for entry in MenuEntry::ALL {
        assert_eq!(entry.to_string().parse(), Ok(*entry));
    }
}

#[test]
fn ports_are_two_things() {
    let port = Port::parse("5353/udp").expect("a port");
    assert_eq!((port.number(), port.protocol()), (5353, Protocol::Udp));
}

#[test]
fn dates() {
    for (text, seconds, day) in [
        ("1980-01-01", 315_532_800, "19800101"),
        ("2024-02-29", 1_709_164_800, "20240229"),
        ("2026-01-31T12:00:00Z", 1_769_860_800, "20260131"),
        ("2026-01-31t12:00:00+02:00", 1_769_853_600, "20260131"),
        ("2026-01-31 23:30:00-01:00", 1_769_905_800, "20260201"),
        ("1769817600", 1_769_817_600, "20260131"),
        ("2099-12-31T23:59:59Z", 4_102_444_799, "20991231"),
    ] {
        let date = SourceDate::parse(text).unwrap_or_else(|reason| panic!("{text}: {reason}"));
        assert_eq!(
            (date.seconds(), date.day().as_str()),
            (seconds, day),
            "{text}"
        );
    }
    for text in [
        "",
        "1979-12-31",
        "2100-01-01",
        "-1",
        "2025-02-29",
        "2026-13-01",
        "2026-1-1",
        "2026-01-31T12:00",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00:00+2",
        "99999999999999999999",
    ] {
        assert!(SourceDate::parse(text).is_err(), "{text}");
    }
}
