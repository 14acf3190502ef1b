use super::*;

fn cut(text: &str, hidden: Hidden) -> String {
    Knife::new(hidden, Some("lovelace"))
        .expect("patterns")
        .cut(text)
        .text
}

/// Every form, with the part of it that must not be left.
const SECRETS: &[(&str, &str)] = &[
    // Passwords that are given names.
    ("password=hunter2", "hunter2"),
    ("PASSWORD = hunter2", "hunter2"),
    ("db_password: hunter2", "hunter2"),
    ("DB_PASSWORD=\"hunter2 and more\"", "more"),
    ("'password': 'hunter2'", "hunter2"),
    (r#"{"password":"hun\"ter2","user":"x"}"#, "ter2"),
    ("passwd=hunter2,hunter3", "hunter3"),
    ("pwd=hunter2;", "hunter2"),
    ("Passwort: hunter2", "hunter2"),
    ("wpa_passphrase=correct horse battery", "battery"),
    ("psk=\"correct horse\"", "horse"),
    ("wifi-sec.psk: correct horse", "horse"),
    ("mysqldump --password hunter2 db", "hunter2"),
    ("mysqldump --password=hunter2 db", "hunter2"),
    ("tool --api-key 12345678", "12345678"),
    ("tool -pass hunter2", "hunter2"),
    ("curl -u ada:hunter2 http://x", "hunter2"),
    ("curl --user=ada:hunter2 http://x", "hunter2"),
    ("password=\"unterminated with spaces", "spaces"),
    ("secret => 'hunter2',", "hunter2"),
    (
        "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "wJalr",
    ),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "wJalr"),
    ("access_token=abcdef&x=1", "abcdef"),
    ("https://x/y?api_key=abcdef&z=1", "abcdef"),
    ("client_secret: abcdef", "abcdef"),
    (
        "PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=",
        "yAnz5",
    ),
    ("PresharedKey = yAnz5TF+lXXJte14tji3zlMNq", "yAnz5"),
    // In addresses.
    ("https://ada:hunter2@example.org/x", "hunter2"),
    ("postgres://ada:hun/t@er2@db:5432/x", "er2"),
    ("postgres://ada:hun/t@er2@db:5432/x", "ada"),
    ("https://ghtoken@github.com/x.git", "ghtoken"),
    ("http_proxy=http://ada:hunter2@proxy:3128", "hunter2"),
    // Headers.
    ("Authorization: Bearer abc.def", "abc.def"),
    ("authorization: Basic YWRhOmh1bnRlcjI=", "YWRh"),
    (r#""Authorization": "token abc","#, "abc"),
    ("Proxy-Authorization: Digest username=\"ada\"", "ada"),
    ("Cookie: session=abc; x=y", "abc"),
    ("Set-Cookie: id=abc", "id=abc"),
    ("X-Api-Key: abc", "abc"),
    ("sent bearer 0123456789abcdefXYZ to it", "0123456789"),
    // Keys with a known beginning.
    ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
    ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "0123456789"),
    ("github_pat_11ABCDEFG0123456789_abcdefghij", "0123456789"),
    ("glpat-0123456789abcdefghij", "0123456789"),
    ("sk-0123456789abcdefghijABCDEFGHIJ", "0123456789"),
    ("sk-proj-0123456789_abcdefghij-ABCDEF", "0123456789"),
    ("sk-ant-api03-0123456789abcdefghij", "0123456789"),
    ("sk_live_0123456789abcdef", "0123456789"),
    ("xoxb-0123456789-abcdefghij", "0123456789"),
    ("AIzaSyA0123456789abcdefghijABCDEFGHIJ01", "0123456789"),
    ("npm_0123456789abcdefghijABCDEFGHIJ012345", "0123456789"),
    ("hf_0123456789abcdefghij", "0123456789"),
    (
        "bot123456789:AAE0123456789abcdefghijABCDEFGHIJ01",
        "AAE0123",
    ),
    ("123456789:AAE0123456789abcdefghijABCDEFGHIJ01", "AAE0123"),
    (
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "dozjg",
    ),
    ("AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", "QQPZ"),
    (
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----",
        "b3Blbn",
    ),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow cut off", "MIIEow"),
    ("MIIEow==\n-----END RSA PRIVATE KEY-----\nrest", "MIIEow"),
    (
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQdG\n-----END PGP PRIVATE KEY BLOCK-----",
        "lQdG",
    ),
    // Hashes of passwords.
    ("root:$6$abcdefgh$0123456789abcdef:19000:", "0123456789"),
    ("$y$j9T$abcdefgh$0123456789abcdef", "0123456789"),
    ("$2b$12$R9h/cIPz0gi.URNNX3kh2O", "R9h"),
    ("$argon2id$v=19$m=65536,t=3$abcdefgh", "abcdefgh"),
    // Names.
    ("cannot open /home/ada/.config/x", "ada"),
    ("session opened for user lovelace by (uid=0)", "lovelace"),
];

#[test]
fn no_secret_is_left() {
    for (text, secret) in SECRETS {
        let line = format!("before {text}\nafter");
        let left = cut(&line, Hidden::default());
        assert!(!left.contains(secret), "{text} → {left}");
        // Wherever in a log it stands.
        let logged = format!("Jan 01 00:00:00 host app[1]: {text}");
        let left = cut(&logged, Hidden::default());
        assert!(!left.contains(secret), "{logged} → {left}");
    }
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "Failed password for root from 192.0.2.7 port 22 ssh2",
        "pam_unix(sudo:auth): authentication failure; logname= uid=1000",
        "systemd[1]: Failed to start ssh.service - OpenBSD Secure Shell server.",
        "kernel: usb 1-1: device descriptor read/64, error -71",
        "see https://www.debian.org/doc/ for more",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "E: Unable to locate package foo",
        "Basic configuration loaded",
        "the key is not certified with a trusted signature!",
        "00:1f.2 SATA controller: Intel Corporation",
        "user@host:~$ ls",
        "std::token::Parser at src/main.rs:12:34",
        "2025-01-01T12:34:56Z",
        "-----BEGIN CERTIFICATE-----",
        "mount -o rw,user /dev/sda1",
    ] {
        assert_eq!(cut(text, Hidden::default()), text);
    }
}

#[test]
fn addresses_and_mail_are_cut_on_demand() {
    let all = Hidden {
        addresses: true,
        mail: true,
    };
    for (text, left) in [
        ("from 192.0.2.7 port 22", "from [address] port 22"),
        (
            "at 2001:db8::1 and fe80::1%eth0",
            "at [address] and [address]%eth0",
        ),
        ("[2001:db8::7]:80", "[[address]]:80"),
        ("link 52:54:00:12:34:56 up", "link [address] up"),
        ("mail ada@example.org now", "mail [e-mail] now"),
        ("at 12:34:56 the time", "at 12:34:56 the time"),
        ("version 1.2.3", "version 1.2.3"),
        ("std::io::Error", "std::io::Error"),
    ] {
        assert_eq!(cut(text, all), left);
        if text != left {
            assert_eq!(cut(text, Hidden::default()), text);
        }
    }
}

#[test]
fn names_of_nobody_stay() {
    for name in ["root", "user", "ab"] {
        let knife = Knife::new(Hidden::default(), Some(name)).expect("patterns");
        let text = format!("session opened for {name}");
        assert_eq!(knife.cut(&text).text, text);
    }
}

#[test]
fn what_was_cut_is_counted() {
    let knife = Knife::new(Hidden::default(), None).expect("patterns");
    let cut = knife.cut("password=a1\npassword=b2\nAKIAIOSFODNN7EXAMPLE");
    assert_eq!(cut.summary().as_deref(), Some("1 key, 2 passwords"));
    assert_eq!(knife.cut("nothing").summary(), None);
}
