//! A machine with an empty disk and no network, driven like a person would: keys, looks at the
//! screen, and the serial line.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use isosmith_vm::Acceleration;
use serde_json::{Value, json};

/// Keys, the screen and the serial line of a QEMU that ends with this value.
pub struct Guest {
    qemu: Child,
    control: BufReader<UnixStream>,
    line: UnixStream,
    heard: Arc<Mutex<String>>,
    folder: PathBuf,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

impl Guest {
    /// Starts from `iso`, or else from `disk`; one of them is there. `secure_boot` is UEFI with Microsoft's keys; its
    /// variables are fresh each time, so that an installed system starts by its fallback.
    pub fn start(
        folder: &Path,
        iso: Option<&Path>,
        disk: Option<&Path>,
        secure_boot: bool,
    ) -> Result<Self> {
        let variables = Path::new("/usr/share/OVMF/OVMF_VARS_4M.ms.fd");
        Self::with_variables(folder, iso, disk, secure_boot.then_some(variables))
    }

    /// The same on UEFI that trusts the keys in a copy of `variables`, or else on a BIOS.
    pub fn with_variables(
        folder: &Path,
        iso: Option<&Path>,
        disk: Option<&Path>,
        variables: Option<&Path>,
    ) -> Result<Self> {
        let [qmp, serial] = ["qmp", "serial"].map(|name| folder.join(name));
        for old in [&qmp, &serial] {
            let _ = fs::remove_file(old);
        }
        let mut qemu = Command::new("qemu-system-x86_64");
        qemu.args(["-no-user-config", "-nodefaults", "-m", "3072", "-smp", "2"])
            .args(Acceleration::Tcg.arguments())
            .args(["-vga", "std"])
            .args(["-display", "none", "-nic", "none"])
            .args(["-device", "virtio-rng-pci"])
            .args(["-device", "qemu-xhci", "-device", "usb-tablet"])
            .arg("-qmp")
            .arg(format!("unix:{},server=on,wait=off", qmp.display()))
            .arg("-serial")
            .arg(format!("unix:{},server=on,wait=off", serial.display()));
        if let Some(fresh) = variables {
            let variables = folder.join("variables.fd");
            fs::copy(fresh, &variables)?;
            qemu.args(["-machine", "q35,smm=on"])
                .args(["-global", "driver=cfi.pflash01,property=secure,value=on"])
                .args(["-global", "ICH9-LPC.disable_s3=1"])
                .args(["-drive", "if=pflash,unit=0,readonly=on,format=raw,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"])
                .arg("-drive")
                .arg(format!("if=pflash,unit=1,format=raw,file={}", variables.display()));
        } else {
            qemu.args(["-machine", "q35"]);
        }
        if let Some(disk) = disk {
            qemu.arg("-drive")
                .arg(format!(
                    "if=none,id=disk,format=raw,cache=unsafe,file={}",
                    disk.display()
                ))
                .args(["-device", "virtio-blk-pci,drive=disk"]);
        }
        if let Some(iso) = iso {
            qemu.arg("-drive")
                .arg(format!(
                    "if=none,id=iso,media=cdrom,readonly=on,format=raw,file={}",
                    iso.display()
                ))
                .args(["-device", "ide-cd,drive=iso,bootindex=0"]);
        }
        let qemu = qemu.spawn().context("qemu-system-x86_64 does not start")?;
        let line = connect(&serial)?;
        let heard = Arc::new(Mutex::new(String::new()));
        let log = fs::File::create(folder.join("serial.log"))?;
        listen(line.try_clone()?, log, Arc::clone(&heard));
        let mut guest = Self {
            qemu,
            control: BufReader::new(connect(&qmp)?),
            line,
            heard,
            folder: folder.to_owned(),
        };
        guest.answer()?;
        guest.ask(&json!({ "execute": "qmp_capabilities" }))?;
        Ok(guest)
    }

    fn answer(&mut self) -> Result<Value> {
        let mut text = String::new();
        self.control.read_line(&mut text)?;
        Ok(serde_json::from_str(&text)?)
    }

    fn ask(&mut self, request: &Value) -> Result<()> {
        let text = format!("{request}\n");
        self.control.get_mut().write_all(text.as_bytes())?;
        loop {
            let answer = self.answer()?;
            if answer.get("return").is_some() {
                return Ok(());
            }
            ensure!(answer.get("error").is_none(), "{request}: {answer}");
        }
    }

    /// Presses keys that go down together, by QEMU's names.
    pub fn press(&mut self, keys: &[&str]) -> Result<()> {
        let keys: Vec<Value> = keys
            .iter()
            .map(|key| json!({ "type": "qcode", "data": key }))
            .collect();
        self.ask(
            &json!({ "execute": "send-key", "arguments": { "keys": keys, "hold-time": 150 } }),
        )?;
        thread::sleep(Duration::from_millis(600));
        Ok(())
    }

    /// Clicks at a place of a screen of this size.
    pub fn click(&mut self, place: (u32, u32), size: (u32, u32)) -> Result<()> {
        // QEMU counts an axis from 0 to 0x7fff (QAPI, `InputMoveEvent`).
        let axis = |axis: &str, at: u32, of: u32| json!({ "type": "abs", "data": { "axis": axis, "value": at * 0x7fff / of } });
        let button =
            |down: bool| json!({ "type": "btn", "data": { "button": "left", "down": down } });
        for events in [
            json!([axis("x", place.0, size.0), axis("y", place.1, size.1)]),
            json!([button(true)]),
            json!([button(false)]),
        ] {
            self.ask(&json!({ "execute": "input-send-event", "arguments": { "events": events } }))?;
            thread::sleep(Duration::from_millis(300));
        }
        Ok(())
    }

    /// Types small letters and digits.
    pub fn write(&mut self, text: &str) -> Result<()> {
        text.chars()
            .try_for_each(|key| self.press(&[&key.to_string()]))
    }

    /// A picture of the screen.
    pub fn look(&mut self, name: &str) -> Result<PathBuf> {
        let path = self.folder.join(format!("{name}.png"));
        let arguments = json!({ "filename": path, "format": "png" });
        self.ask(&json!({ "execute": "screendump", "arguments": arguments }))?;
        Ok(path)
    }

    /// Waits until `like` takes what is on the screen, and returns what it says; else why it did
    /// not take the last picture.
    pub fn shows<T>(
        &mut self,
        name: &str,
        limit: Duration,
        like: impl Fn(&Path) -> Result<T>,
    ) -> Result<T> {
        let end = Instant::now() + limit;
        loop {
            let path = self.look(name)?;
            match like(&path) {
                Ok(said) => return Ok(said),
                Err(error) if Instant::now() > end => {
                    return Err(error).with_context(|| format!("{name} did not come"));
                }
                Err(_) => thread::sleep(Duration::from_millis(500)),
            }
        }
    }

    /// Waits until the screen shows a window (many colours) that does not change for a while,
    /// and is another than `before`; returns what it shows.
    pub fn settled(
        &mut self,
        name: &str,
        before: Option<&[u8]>,
        limit: Duration,
    ) -> Result<Vec<u8>> {
        let end = Instant::now() + limit;
        let (mut last, mut same) = (Vec::new(), 0);
        while Instant::now() < end {
            thread::sleep(Duration::from_secs(3));
            let path = self.look(name)?;
            let picture = image::open(&path)?.to_rgb8();
            let shown = picture.as_raw().clone();
            same = if shown == last { same + 1 } else { 0 };
            last = shown;
            let window = picture
                .pixels()
                .filter(|pixel| pixel.0.iter().all(|&part| part > 0xe0))
                .count();
            if same >= 3 && window > 50_000 && before != Some(last.as_slice()) {
                return Ok(last);
            }
        }
        bail!("nothing new stands on the screen: {name}")
    }

    /// Presses keys until another window stands on the screen than `before`: a page takes them
    /// only when it has finished its checks.
    pub fn turn(&mut self, keys: &[&str], name: &str, before: &[u8]) -> Result<Vec<u8>> {
        for _ in 0..5 {
            self.press(keys)?;
            if let Ok(shown) = self.settled(name, Some(before), Duration::from_secs(60)) {
                return Ok(shown);
            }
        }
        bail!("{keys:?} leads nowhere: {name}")
    }

    /// Waits until the machine has switched itself off.
    pub fn switched_off(&mut self, limit: Duration) -> Result<()> {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if self.qemu.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_secs(2));
        }
        bail!("the machine still runs")
    }

    /// Sends a line.
    pub fn send(&mut self, text: &str) -> Result<()> {
        Ok(self.line.write_all(format!("{text}\n").as_bytes())?)
    }

    /// Waits until what came over the line has something that `find` takes.
    pub fn hear<T>(
        &self,
        what: &str,
        limit: Duration,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if let Some(found) = find(&self.heard.lock().unwrap()) {
                return Ok(found);
            }
            thread::sleep(Duration::from_secs(1));
        }
        let heard = self.heard.lock().unwrap();
        let tail: String = heard.chars().rev().take(1500).collect();
        bail!(
            "{what} did not come; last:\n{}",
            tail.chars().rev().collect::<String>()
        )
    }

    /// Forgets what came so far.
    pub fn forget(&self) {
        self.heard.lock().unwrap().clear();
    }
}

fn connect(path: &Path) -> Result<UnixStream> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        match UnixStream::connect(path) {
            Ok(stream) => return Ok(stream),
            Err(error) if Instant::now() > end => return Err(error).context("QEMU has no socket"),
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn listen(mut line: UnixStream, mut log: fs::File, heard: Arc<Mutex<String>>) {
    thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = line.read(&mut piece) {
            // For a person who looks why it failed.
            let _ = log.write_all(&piece[..count]);
            heard
                .lock()
                .unwrap()
                .push_str(&String::from_utf8_lossy(&piece[..count]));
        }
    });
}
