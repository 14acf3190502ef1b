//! How the installer is started: from the desktop, or instead of one.

use isosmith_spec::model::BuildSpec;

use super::{Written, scripts::FOLDER};

/// On the kernel's command line it opens the installer when the system has started.
const PARAMETER: &str = "isosmith.install";

/// Shows the installer on a screen of its own.
const UNIT: &str = "isosmith-installer.service";

/// What the menu's entry for installing says to the kernel.
pub(crate) fn parameters(spec: &BuildSpec) -> String {
    if spec.installer.only {
        // No desktop: whatever shows a login is kept from starting (systemd-debug-generator(8)).
        format!(
            "{PARAMETER} systemd.wants={UNIT} systemd.mask=display-manager.service systemd.mask=getty@tty1.service systemd.mask=isosmith-kiosk.service"
        )
    } else {
        PARAMETER.to_owned()
    }
}

pub(super) fn files(spec: &BuildSpec) -> Vec<Written> {
    let name = &spec.branding.name;
    let mut files = vec![Written::script(format!("{FOLDER}/run"), RUN)];
    if spec.installer.only {
        files.extend([
            Written::new(format!("/usr/lib/systemd/system/{UNIT}"), unit()),
            Written::script(format!("{FOLDER}/screen"), SCREEN),
            Written::new(format!("{FOLDER}/openbox.xml"), OPENBOX),
        ]);
        return files;
    }
    files.extend([
        Written::new(
            "/usr/share/applications/isosmith-installer.desktop",
            desktop_entry(name),
        ),
        // The package's own entry has another name and no rights in a Wayland session.
        Written::new(
            "/usr/local/share/applications/calamares.desktop",
            "[Desktop Entry]\nType=Application\nName=Calamares\nNoDisplay=true\nHidden=true\n",
        ),
        Written::new("/etc/xdg/autostart/isosmith-installer.desktop", autostart()),
        Written::script(format!("{FOLDER}/session"), SESSION),
        Written::script(format!("{FOLDER}/start"), START),
        Written::new(
            format!("/usr/share/polkit-1/actions/{ACTION}.policy"),
            polkit_action(),
        ),
    ]);
    if let Some(user) = &spec.users.live {
        files.push(Written::new(
            "/etc/polkit-1/rules.d/50-isosmith-installer.rules",
            polkit_rule(user.name.as_str()),
        ));
    }
    files
}

/// freedesktop.org, "Desktop Entry Specification": a backslash and line breaks are escaped.
fn desktop_text(text: &str) -> String {
    text.replace('\\', "\\\\").replace(['\n', '\r'], " ")
}

fn desktop_entry(name: &str) -> String {
    let name = desktop_text(name);
    format!(
        "[Desktop Entry]\n\
         Type=Application\n\
         Version=1.0\n\
         Name=Install {name}\n\
         Name[de]={name} installieren\n\
         Comment=Copy {name} onto a disk of this machine\n\
         Comment[de]={name} auf eine Festplatte dieses Rechners kopieren\n\
         Exec={FOLDER}/start\n\
         Icon=calamares\n\
         Terminal=false\n\
         Categories=System;\n\
         Keywords=install;system;disk;calamares;\n\
         StartupWMClass=calamares\n\
         StartupNotify=true\n"
    )
}

fn autostart() -> String {
    format!(
        "[Desktop Entry]\nType=Application\nName=Installer\nExec={FOLDER}/session\nNoDisplay=true\n\
         StartupNotify=false\nX-GNOME-Autostart-Phase=Application\nX-KDE-autostart-phase=2\n"
    )
}

/// The live user may start the installer without a password, and nothing else.
fn polkit_rule(user: &str) -> String {
    format!(
        "// Made by Isosmith; the installed system has not got it.\n\
         polkit.addRule(function (action, subject) {{\n    \
             if (action.id == \"{ACTION}\" &&\n        \
                 subject.user == \"{user}\" && subject.local) {{\n        \
                 return polkit.Result.YES;\n    }}\n}});\n"
    )
}

fn polkit_action() -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD PolicyKit Policy Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/PolicyKit/1.0/policyconfig.dtd">
<policyconfig>
  <action id="{ACTION}">
    <description>Install the system</description>
    <message>A password is needed to install the system</message>
    <defaults>
      <allow_any>no</allow_any>
      <allow_inactive>no</allow_inactive>
      <allow_active>auth_admin</allow_active>
    </defaults>
    <annotate key="org.freedesktop.policykit.exec.path">{FOLDER}/run</annotate>
    <annotate key="org.freedesktop.policykit.exec.allow_gui">true</annotate>
  </action>
</policyconfig>
"#
    )
}

fn unit() -> String {
    format!(
        "[Unit]\n\
         Description=Installer on a screen of its own\n\
         ConditionKernelCommandLine={PARAMETER}\n\
         After=systemd-user-sessions.service live-config.service plymouth-quit.service\n\
         Conflicts=getty@tty1.service display-manager.service\n\
         \n\
         [Service]\n\
         Environment=HOME=/root XDG_RUNTIME_DIR=/run/isosmith-installer LANG=C.UTF-8\n\
         EnvironmentFile=-/etc/default/locale\n\
         RuntimeDirectory=isosmith-installer\n\
         RuntimeDirectoryMode=0700\n\
         ExecStart=/usr/bin/xinit {FOLDER}/screen -- /usr/bin/X :0 vt1 -keeptty -nolisten tcp\n\
         StandardInput=tty\n\
         TTYPath=/dev/tty1\n\
         TTYReset=yes\n\
         TTYVHangup=yes\n\
         Restart=always\n\
         RestartSec=2\n"
    )
}

/// Starts the installer from a desktop. Root's window in somebody else's session needs the
/// X server's leave; in a Wayland session this is Xwayland.
const START: &str = r#"#!/bin/sh
if [ -n "${DISPLAY:-}" ] && command -v xhost > /dev/null; then
    xhost +si:localuser:root > /dev/null
    trap 'xhost -si:localuser:root > /dev/null' EXIT
fi
pkexec /usr/lib/isosmith/installer/run
"#;

/// Runs the installer as root. Its slides are drawn with OpenGL where there is no word against
/// it, and the whole program ends where that does not work.
const RUN: &str = "#!/bin/sh\nexport QT_QUICK_BACKEND=software\nexec /usr/bin/calamares\n";

/// Right to start it; polkit(8) takes pkexec's program from the annotation.
const ACTION: &str = "org.isosmith.installer";

/// Runs at the start of a session: an icon on the desktop; and the installer, where the boot
/// menu's entry for installing was taken.
const SESSION: &str = r#"#!/bin/sh
# Only in the live system.
grep -qw boot=live /proc/cmdline || exit 0
entry=/usr/share/applications/isosmith-installer.desktop

desktop=$(xdg-user-dir DESKTOP 2> /dev/null)
[ -n "$desktop" ] && [ "$desktop" != "$HOME" ] || desktop=$HOME/Desktop
mkdir -p "$desktop"
icon=$desktop/isosmith-installer.desktop
cp "$entry" "$icon"
chmod 0755 "$icon"
if command -v gio > /dev/null; then
    # Without these Xfce, GNOME's icons, Cinnamon and LXQt ask whether it can be trusted.
    gio set --type=string "$icon" metadata::trusted true
    gio set --type=string "$icon" metadata::trust true
    gio set --type=string "$icon" metadata::xfce-exe-checksum "$(sha256sum "$icon" | cut -d' ' -f1)"
    touch "$icon"
fi 2> /dev/null

if grep -qw isosmith.install /proc/cmdline; then
    exec /usr/lib/isosmith/installer/start
fi
"#;

/// The only program of a medium that installs and does nothing else.
const SCREEN: &str = r#"#!/bin/sh
xset s off -dpms 2> /dev/null
xsetroot -solid '#20262c' 2> /dev/null
openbox --config-file /usr/lib/isosmith/installer/openbox.xml &
/usr/lib/isosmith/installer/run
# Left without an installation: there is nothing else to do here.
kill $! 2> /dev/null
"#;

/// One window over the whole screen; dialogs keep their size.
const OPENBOX: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <applications>
    <application class="calamares" type="normal">
      <decor>no</decor>
      <maximized>yes</maximized>
    </application>
  </applications>
</openbox_config>
"#;
