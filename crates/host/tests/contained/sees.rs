//! What is seen: mounts, files, devices, trees.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use isosmith_host::{Sandbox, worker::Ids};
use libtest_mimic::Failed;

use super::{check, fields, programs, run};

/// Every mount but the root is nosuid and nodev; only device files can be opened as devices.
pub(super) fn mounts(ids: &Ids) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let sandbox = programs().bind(folder.path(), "/given");
    let folders = [folder.path().to_owned()];
    for (what, sandbox) in [("a command", Some(sandbox)), ("the worker", None)] {
        let text = run(ids, sandbox, &folders, "cat /proc/self/mountinfo");
        let mut seen = 0;
        for line in text.lines() {
            let mut words = line.split(' ').skip(4);
            let (point, options) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            let has = |option: &str| options.split(',').any(|have| have == option);
            let device = ["null", "zero", "full", "random", "urandom", "tty", "pts"]
                .iter()
                .any(|name| point == format!("/dev/{name}"));
            if point != "/" && !(has("nosuid") && (has("nodev") || device)) {
                return Err(format!("{what} has {line}").into());
            }
            seen += 1;
        }
        if seen < 15 {
            return Err(format!("{what} shows few mounts: {text}").into());
        }
    }
    Ok(())
}

/// What is there, what is not, and what cannot be written: it is opened for writing, which says
/// enough and harms nothing where it works.
pub(super) fn files(ids: &Ids) -> Result<(), Failed> {
    let there = r#"
        for path in /home /root /media /mnt /boot /srv /opt /var/lib /run/dbus /run/systemd /run/udev \
            /dev/disk /dev/vda /dev/sda /dev/mem /dev/kmsg /dev/loop0 /dev/loop-control /dev/kvm /dev/fuse /dev/mapper \
            /sys/firmware /sys/class /sys/fs; do
            if [ -e $path ]; then echo "there $path"; fi
        done
        echo "looked yes"
    "#;
    let kernel = r#"
        for path in /proc/sysrq-trigger /proc/kcore /proc/kmsg /proc/keys /proc/timer_list /proc/key-users; do
            if [ -e $path ] && [ -n "$(head -c 1 $path)" ]; then echo "shows $path"; fi
        done
        for path in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname \
            /proc/sys/vm/drop_caches /proc/sys/kernel/modprobe /proc/mtrr /sys/x /usr/x /proc/fs/x; do
            if (: > $path) 2> /dev/null; then echo "wrote $path"; fi
        done
        echo "asked yes"
    "#;
    let script = r#"
        for node in "b 8 0" "b 254 0" "c 1 1" "c 1 11" "c 10 200" "b 7 0"; do
            for folder in /dev /tmp /run; do
                mknod $folder/node $node 2> /dev/null && head -c 1 $folder/node > /dev/null 2>&1 && echo "opened $node"
                rm -f $folder/node
            done
        done
        echo "descriptors $(ls -x /proc/self/fd | tr -s ' ')"
        echo "terminal $(tty 2>&1 || true)"
        echo "end yes"
    "#;
    let in_worker = match ids {
        // To its own /proc, root of a user namespace is anybody.
        Ids::Range { .. } | Ids::Subordinate { .. } => format!("{there} echo asked yes"),
        Ids::Same(_) => format!("{there}{kernel}"),
    };
    let worker = run(ids, None, &[], &in_worker);
    check(&fields(&worker), &[("looked", "yes"), ("asked", "yes")])?;
    let text = run(
        ids,
        Some(programs()),
        &[],
        &format!("{there}{kernel}{script}"),
    );
    let found = fields(&text);
    // 3 is the folder that ls lists.
    check(
        &found,
        &[
            ("looked", "yes"),
            ("asked", "yes"),
            ("end", "yes"),
            ("descriptors", "0 1 2 3"),
            ("terminal", "not a tty"),
        ],
    )?;
    match worker.lines().chain(text.lines()).find(|line| {
        ["there ", "shows ", "wrote ", "opened "]
            .iter()
            .any(|word| line.starts_with(word))
    }) {
        Some(line) => Err(line.into()),
        None => Ok(()),
    }
}

/// What a command makes has its owners from inside, and the links of a hostile tree lead no
/// mount and no file out of it.
pub(super) fn trees(ids: &Ids) -> Result<(), Failed> {
    // Not below /tmp, which is an empty folder in a tree.
    let folder = tempfile::tempdir_in("/var/tmp")?;
    let outside = folder.path().join("outside");
    let root = folder.path().join("root");
    let same_path_inside = root.join(outside.strip_prefix("/")?);
    let (uid, gid) = ids.root_outside();
    for name in ["dev", "proc"] {
        for path in [outside.join(name), same_path_inside.join(name)] {
            fs::create_dir_all(path)?;
        }
        std::os::unix::fs::symlink(outside.join(name), root.join(name))?;
    }
    for path in [folder.path(), &root] {
        std::os::unix::fs::chown(path, Some(uid), Some(gid))?;
    }
    let mut sandbox = Sandbox::tree("tree", &root);
    for path in ["/usr", "/bin", "/lib", "/lib64"] {
        if Path::new(path).exists() {
            sandbox = sandbox.bind_ro(&fs::canonicalize(path)?, path);
        }
    }
    let script = r#"
        touch /made; chown 5:6 /made
        [ -c /dev/null ] && [ -d /dev/pts ] && echo "dev yes"
        [ -r /proc/self/status ] && echo "proc yes"
        [ -s /proc/timer_list ] || echo "covered yes"
    "#;
    let text = run(ids, Some(sandbox), &[folder.path().to_owned()], script);
    let yes = [("dev", "yes"), ("proc", "yes"), ("covered", "yes")];
    check(&fields(&text), &yes)?;
    let meta = fs::metadata(root.join("made"))?;
    if (meta.uid(), meta.gid()) != (uid + 5, gid + 6) {
        return Err(format!("made by {}:{}", meta.uid(), meta.gid()).into());
    }
    for name in ["dev", "proc"] {
        let strange: Vec<_> = fs::read_dir(outside.join(name))?.collect();
        if !strange.is_empty() {
            return Err(format!("outside the tree there is {strange:?}").into());
        }
    }
    Ok(())
}

/// Installing a package into the worker's own root folder, instead of a tree, fails: the
/// machine's programs cannot be written.
pub(super) fn wrong_root(ids: &Ids) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let package = folder.path().join("wrong");
    fs::create_dir_all(package.join("DEBIAN"))?;
    fs::create_dir_all(package.join("usr/bin"))?;
    fs::write(package.join("usr/bin/isosmith-wrong-root"), "")?;
    fs::write(
        package.join("DEBIAN/control"),
        "Package: wrong\nVersion: 1\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: x\n",
    )?;
    let built = std::process::Command::new("dpkg-deb")
        .args(["--build", "--root-owner-group"])
        .arg(&package)
        .output()?;
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).into());
    }
    let (uid, gid) = ids.root_outside();
    std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid))?;
    // Its database is somewhere it may write, so that nothing but the files is in the way.
    let script = format!(
        "exec 2>&1; export PATH={}; mkdir -p /tmp/db/info /tmp/db/updates; touch /tmp/db/status /tmp/db/available; \
         dpkg --force-all --log=/tmp/log --root=/ --admindir=/tmp/db --install {}.deb; \
         touch /usr/bin/isosmith-wrong-root; echo end yes",
        "/usr/sbin:/usr/bin:/sbin:/bin",
        package.display()
    );
    let text = run(ids, None, &[folder.path().to_owned()], &script);
    let refused = text.matches("Read-only file system").count();
    let made = Path::new("/usr/bin/isosmith-wrong-root").exists();
    if refused >= 2 && text.contains("end yes") && !made {
        Ok(())
    } else {
        Err(text.into())
    }
}
