use isosmith_host::*;
use std::{fs::File, io::{Read, Write}, path::Path};
struct P;
impl Watch for P { fn line(&mut self, s: Stream, l: &str) { eprintln!("{s:?} {l}"); } }
fn build(job: String, mut events: File) -> i32 {
    let host = LinuxHost::new(Cancel::new());
    writeln!(events, "job {job} pid {}", std::process::id()).unwrap();
    let dir = Path::new(&job);
    for sub in ["l","u","w","m"] { std::fs::create_dir_all(dir.join(sub)).unwrap(); }
    for d in ["proc","dev","sys","run","tmp","usr","etc"] { std::fs::create_dir_all(dir.join("l").join(d)).unwrap(); }
    for (n,t) in [("bin","usr/bin"),("lib","usr/lib"),("lib64","usr/lib64"),("sbin","usr/sbin")] { let _ = std::os::unix::fs::symlink(t, dir.join("l").join(n)); }
    let g = host.overlay(&[dir.join("l")], &dir.join("u"), &dir.join("w"), &dir.join("m")).unwrap();
    let sb = Sandbox::tree("tree", &dir.join("m")).bind_ro(Path::new("/usr"), "/usr");
    for script in ["id; ps ax; cat /proc/self/status | grep -E 'Cap|NoNew|Secc'; ls -la / /dev; echo hi > /etc/x; ip a; echo b > /proc/sysrq-trigger; mount -t tmpfs x /mnt; reboot -f; mknod /dev/sda b 8 0; chown 1000:1000 /etc/x; ls -ln /etc/x; ls /proc/self/fd; sleep 100 & exit 3"] {
        let r = host.run(&Cmd::new("sh").args(["-c", script]).inside(sb.clone()), &mut P);
        eprintln!("{r:?}");
    }
    let t = std::time::Instant::now();
    for _ in 0..50 { host.run(&Cmd::new("true").inside(sb.clone()), &mut P).unwrap(); }
    eprintln!("50 runs {:?}", t.elapsed());
    eprintln!("{:?}", host.run(&Cmd::new("nonsuch").inside(sb.clone()), &mut P));
    drop(g);
    0
}
fn main() {
    worker::entry(build);
    let dir = std::path::PathBuf::from("/tmp/hosttry/a/b"); std::fs::create_dir_all(&dir).unwrap();
    let ids = worker::Ids::of_this_user().unwrap();
    let (u,g)=ids.root_outside(); std::os::unix::fs::chown(&dir, Some(u), Some(g)).unwrap();
    let (mut w, mut ev) = worker::Worker::start(&ids, &[dir.clone()], dir.display().to_string()).unwrap();
    let mut s = String::new(); ev.read_to_string(&mut s).unwrap(); eprint!("{s}");
    eprintln!("{:?}", w.wait());
}
