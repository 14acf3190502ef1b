//! What a desktop offers to programs over the session bus, as much of it as the window uses: each
//! notes what it is asked for.

use std::{
    collections::{HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use zbus::{
    MatchRule,
    blocking::{Connection, MessageIterator, connection::Builder},
    message::{Header, Type},
    zvariant::{OwnedObjectPath, OwnedValue, Value},
};

/// A notification that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub title: String,
    pub text: String,
    /// Names of its buttons' actions.
    pub actions: Vec<String>,
}

/// What was heard.
#[derive(Debug, Default)]
struct Heard {
    notices: Vec<Notice>,
    /// Addresses that the file manager was to show.
    shown: Vec<String>,
    /// What docks were told: how far, and whether that is to be seen.
    progress: Vec<(f64, bool)>,
    /// What the person chooses in the next dialogs; nothing: they close it.
    choices: VecDeque<PathBuf>,
    /// Titles and kinds of the dialogs that came.
    dialogs: Vec<String>,
}

/// The desktop's end of the bus.
#[derive(Debug)]
pub struct Offers {
    bus: Connection,
    heard: Arc<Mutex<Heard>>,
}

impl Offers {
    /// Offers them on the bus at `address`.
    pub fn on(address: &str) -> Result<Self> {
        let heard = Arc::<Mutex<Heard>>::default();
        let bus = Builder::address(address)?
            .name("org.freedesktop.Notifications")?
            .name("org.freedesktop.FileManager1")?
            .name("org.freedesktop.portal.Desktop")?
            .serve_at(
                "/org/freedesktop/Notifications",
                Notifications(heard.clone()),
            )?
            .serve_at("/org/freedesktop/FileManager1", FileManager(heard.clone()))?
            .serve_at("/org/freedesktop/portal/desktop", Portal(heard.clone()))?
            .build()?;
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .interface("com.canonical.Unity.LauncherEntry")?
            .member("Update")?
            .build();
        let signals = MessageIterator::for_match_rule(rule, &bus, Some(4096))?;
        let dock = heard.clone();
        thread::spawn(move || {
            for message in signals.filter_map(Result::ok) {
                let body = message.body();
                let said = body.deserialize::<(String, HashMap<String, OwnedValue>)>();
                let Ok((app, properties)) = said else {
                    continue;
                };
                if app != "application://org.isosmith.Isosmith.desktop" {
                    continue;
                }
                let progress = properties["progress"].downcast_ref::<f64>();
                let visible = properties["progress-visible"].downcast_ref::<bool>();
                if let (Ok(progress), Ok(visible)) = (progress, visible) {
                    locked(&dock).progress.push((progress, visible));
                }
            }
        });
        Ok(Self { bus, heard })
    }

    /// The notifications so far.
    pub fn notices(&self) -> Vec<Notice> {
        locked(&self.heard).notices.clone()
    }

    /// Presses a button of the notification that came as number `number`, from 1.
    pub fn press(&self, number: u32, action: &str) -> Result<()> {
        Ok(self.bus.emit_signal(
            None::<()>,
            "/org/freedesktop/Notifications",
            "org.freedesktop.Notifications",
            "ActionInvoked",
            &(number, action),
        )?)
    }

    /// Addresses that the file manager was to show.
    pub fn shown(&self) -> Vec<String> {
        locked(&self.heard).shown.clone()
    }

    /// What docks were told.
    pub fn progress(&self) -> Vec<(f64, bool)> {
        locked(&self.heard).progress.clone()
    }

    /// The person chooses `path` in the next dialog.
    pub fn will_choose(&self, path: &Path) {
        locked(&self.heard).choices.push_back(path.to_owned());
    }

    /// Titles and kinds of the dialogs that came.
    pub fn dialogs(&self) -> Vec<String> {
        locked(&self.heard).dialogs.clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Notifications(Arc<Mutex<Heard>>);

/// As much of a notification daemon as it takes to be told
/// (<https://specifications.freedesktop.org/notification-spec/latest/>).
#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[expect(clippy::too_many_arguments, reason = "the specification has them")]
    fn notify(
        &mut self,
        _app_name: String,
        _replaces_id: u32,
        _app_icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expire_timeout: i32,
    ) -> u32 {
        let heard = &mut locked(&self.0).notices;
        heard.push(Notice {
            title: summary,
            text: body,
            actions: actions.into_iter().step_by(2).collect(),
        });
        u32::try_from(heard.len()).unwrap_or(1)
    }

    fn close_notification(&self, _id: u32) {}

    fn get_capabilities(&self) -> Vec<String> {
        vec!["actions".into(), "body".into()]
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("test".into(), "isosmith".into(), "1".into(), "1.2".into())
    }
}

struct FileManager(Arc<Mutex<Heard>>);

/// <https://www.freedesktop.org/wiki/Specifications/file-manager-interface/>
#[zbus::interface(name = "org.freedesktop.FileManager1")]
impl FileManager {
    fn show_items(&self, uris: Vec<String>, _startup_id: String) {
        locked(&self.0).shown.extend(uris);
    }

    fn show_folders(&self, uris: Vec<String>, _startup_id: String) {
        locked(&self.0).shown.extend(uris);
    }
}

struct Portal(Arc<Mutex<Heard>>);

/// <https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.FileChooser.html>
#[zbus::interface(name = "org.freedesktop.portal.FileChooser")]
impl Portal {
    async fn open_file(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &zbus::Connection,
        _parent_window: String,
        _title: String,
        options: HashMap<String, OwnedValue>,
    ) -> zbus::fdo::Result<OwnedObjectPath> {
        self.dialog("open", &header, bus, &options)
    }

    async fn save_file(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &zbus::Connection,
        _parent_window: String,
        _title: String,
        options: HashMap<String, OwnedValue>,
    ) -> zbus::fdo::Result<OwnedObjectPath> {
        self.dialog("save", &header, bus, &options)
    }
}

impl Portal {
    fn dialog(
        &self,
        kind: &str,
        header: &Header<'_>,
        bus: &zbus::Connection,
        options: &HashMap<String, OwnedValue>,
    ) -> zbus::fdo::Result<OwnedObjectPath> {
        let word = |name: &str| {
            let value = options.get(name)?.downcast_ref::<&str>().ok()?;
            Some(value.to_owned())
        };
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let token = word("handle_token").unwrap_or_default();
        // "org.freedesktop.portal.Request" says how the path is made.
        let of = sender.trim_start_matches(':').replace('.', "_");
        let path = format!("/org/freedesktop/portal/desktop/request/{of}/{token}");
        let handle = OwnedObjectPath::try_from(path.as_str())
            .map_err(|error| zbus::fdo::Error::InvalidArgs(error.to_string()))?;
        let is = |name: &str| {
            options
                .get(name)
                .is_some_and(|value| value.downcast_ref() == Ok(true))
        };
        let kind = match is("directory") {
            true => "folder",
            false => kind,
        };
        let name = word("current_name").unwrap_or_default();
        let mut heard = locked(&self.0);
        heard
            .dialogs
            .push(format!("{kind} {name}").trim().to_owned());
        let chosen = heard.choices.pop_front();
        let bus = bus.clone();
        // People take longer than that.
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(200));
            let (code, results) = answer(chosen.as_deref());
            let bus = Connection::from(bus);
            let said = bus.emit_signal(
                Some(sender),
                path,
                "org.freedesktop.portal.Request",
                "Response",
                &(code, results),
            );
            said.context("the dialog's answer").unwrap();
        });
        Ok(handle)
    }
}

/// 0 for a choice, 1 for a dialog that was closed.
fn answer(chosen: Option<&Path>) -> (u32, HashMap<&'static str, Value<'static>>) {
    match chosen {
        Some(path) => {
            let uris = vec![format!("file://{}", path.display())];
            (0, HashMap::from([("uris", Value::from(uris))]))
        }
        None => (1, HashMap::new()),
    }
}
