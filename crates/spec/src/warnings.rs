//! What can be built, and is probably not meant.

use crate::check::SSH_SERVERS;
use crate::model::{BuildSpec, Environment, Login};
use crate::problem::Problem;

/// What a person should know of a spec before it is built, each with its field and what would
/// change it. Nothing here hinders a build.
pub fn warnings(spec: &BuildSpec) -> Vec<Problem> {
    [
        nobody_gets_in(spec),
        keys_without_a_door(spec),
        no_page(spec),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn warning(path: &str, message: String, fix: &str) -> Problem {
    Problem {
        path: path.to_owned(),
        message,
        fix: fix.to_owned(),
        origin: None,
    }
}

fn has_ssh(spec: &BuildSpec) -> bool {
    let mut packages = spec.software.packages.iter();
    packages.any(|package| SSH_SERVERS.contains(&package.as_str()))
}

fn nobody_gets_in(spec: &BuildSpec) -> Option<Problem> {
    let kiosk = spec.desktop.environment == Some(Environment::Kiosk);
    let only_installs = spec.installer.only && spec.installer.calamares;
    let live = spec.users.live.as_ref();
    let opens = spec.users.logins().any(|login| *login != Login::Locked)
        || live.is_some_and(|user| user.autologin)
        || live.is_some_and(|user| !user.ssh_keys.is_empty() && has_ssh(spec));
    if kiosk || only_installs || opens {
        return None;
    }
    Some(warning(
        "users",
        "nobody can log in: every password is locked, and nobody is logged in by itself".to_owned(),
        "write `autologin = true` or a password into `[users.live]`, or put a key into its `ssh_keys` where an SSH server is in `software.packages`",
    ))
}

fn keys_without_a_door(spec: &BuildSpec) -> Option<Problem> {
    let live = spec.users.live.as_ref()?;
    if live.ssh_keys.is_empty() || has_ssh(spec) {
        return None;
    }
    Some(warning(
        "users.live.ssh_keys",
        "there are keys for SSH, and no SSH server".to_owned(),
        "add `\"openssh-server\"` to `software.packages`, or remove the keys",
    ))
}

/// A package may bring the page; nothing but the built image could tell.
fn no_page(spec: &BuildSpec) -> Option<Problem> {
    let page = spec.desktop.kiosk_page.as_ref()?.as_str();
    let path = page.strip_prefix("file://")?;
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let covered = spec.files.iter().any(|file| {
        let rest = path.strip_prefix(file.target.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if covered {
        return None;
    }
    Some(warning(
        "desktop.kiosk_page",
        format!("no entry of `files` puts `{path}` into the image"),
        "add a `[[files]]` entry for the page, unless a package brings it",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Layer, Origin, load};

    fn check(text: &str, paths: &[&str]) {
        let text = format!("format = 1\n[profile]\nname = 'x'\n{text}");
        let layer = Layer::new(Origin::Profile("x".into()), "/", text.clone());
        let (spec, _) =
            load(vec![layer], &|_| None).unwrap_or_else(|bad| panic!("{text}\n{bad:?}"));
        let warned = warnings(&spec);
        let found: Vec<&str> = warned.iter().map(|warning| warning.path.as_str()).collect();
        assert_eq!(found, paths, "{text}");
    }

    #[test]
    fn what_is_probably_not_meant_is_said() {
        const HASH: &str = "$6$abcdefgh$ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH";
        const KEY: &str =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g a";
        const KIOSK: &str = "[desktop]\nenvironment = 'kiosk'\nkiosk_page =";
        let locked = "[users.live]\nname = 'ada'\nautologin = false\n";
        let with_key = format!("{locked}ssh_keys = ['{KEY}']\n");
        let with_ssh = format!("{with_key}[software]\npackages = ['openssh-server']");
        let with_password = format!("{locked}password = '{HASH}'");
        let root = format!("{locked}[users.root]\npassword = '{HASH}'");
        let page = "[[files]]\nsource = 'page'\ntarget = '/srv/page'\n";
        for (text, paths) in [
            ("[users]\nlive = false", &["users"][..]),
            (locked, &["users"]),
            (&with_key, &["users", "users.live.ssh_keys"]),
            (&with_ssh, &[]),
            (&with_password, &[]),
            (&root, &[]),
            ("[users.live]\nname = 'ada'", &[]),
            (&format!("{KIOSK} 'https://example.org/'\n{locked}"), &[]),
            (
                &format!("{KIOSK} 'file:///srv/page/a.html'"),
                &["desktop.kiosk_page"],
            ),
            (&format!("{page}{KIOSK} 'file:///srv/page/a.html'"), &[]),
            (
                &format!("{page}{KIOSK} 'file:///srv/pages/a.html'"),
                &["desktop.kiosk_page"],
            ),
        ] {
            check(text, paths);
        }
    }
}
