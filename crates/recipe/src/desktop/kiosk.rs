//! One browser over the whole screen: a unit on the first console, as a user who may nothing.

use isosmith_spec::model::BuildSpec;
use serde_json::json;

use crate::tree_file::TreeFile;

pub(super) const UNIT: &str = "isosmith-kiosk.service";

/// A system account: no password, no shell, no home that outlives its session.
pub(crate) const USER: &str = "isosmith-kiosk";

const BROWSER: &str = "/usr/lib/isosmith/kiosk-browser";

const COMPOSITOR: &str = "/usr/lib/isosmith/kiosk";

pub(super) fn files(spec: &BuildSpec) -> Vec<TreeFile> {
    let Some(page) = &spec.desktop.kiosk_page else {
        return Vec::new();
    };
    vec![
        TreeFile::new(format!("/usr/lib/systemd/system/{UNIT}"), unit()),
        TreeFile::program(COMPOSITOR, compositor()),
        TreeFile::program(BROWSER, browser(page.as_str())),
        TreeFile::new(
            "/etc/firefox-esr/policies/policies.json",
            policies(page.as_str()),
        ),
        // No console to switch to; see logind.conf(5).
        TreeFile::new(
            "/etc/systemd/logind.conf.d/20-isosmith-kiosk.conf",
            "[Login]\nNAutoVTs=0\nReserveVT=0\n",
        ),
        TreeFile::new("/etc/pam.d/isosmith-kiosk", pam()),
    ]
}

/// The session is a real one (`PAMName=`), which is how cage gets at screen and keyboard through
/// logind without a right of its own. Whatever ends, for whatever reason, starts again; the
/// runtime folder is the home, so each start is the first.
fn unit() -> String {
    format!(
        "[Unit]\n\
         Description=One browser over the whole screen\n\
         After=systemd-user-sessions.service plymouth-quit-wait.service live-config.service \
         NetworkManager.service dbus.socket getty@tty1.service\n\
         Wants=dbus.socket\n\
         Before=graphical.target\n\
         Conflicts=getty@tty1.service\n\
         StartLimitIntervalSec=0\n\n\
         [Service]\n\
         User={USER}\n\
         PAMName=isosmith-kiosk\n\
         TTYPath=/dev/tty1\n\
         TTYReset=yes\n\
         TTYVHangup=yes\n\
         TTYVTDisallocate=yes\n\
         StandardInput=tty-fail\n\
         StandardOutput=journal\n\
         StandardError=journal\n\
         UtmpIdentifier=tty1\n\
         UtmpMode=user\n\
         RuntimeDirectory=isosmith-kiosk\n\
         RuntimeDirectoryMode=0700\n\
         Environment=HOME=/run/isosmith-kiosk XDG_SESSION_TYPE=wayland MOZ_ENABLE_WAYLAND=1\n\
         EnvironmentFile=-/etc/default/locale\n\
         EnvironmentFile=-/etc/default/keyboard\n\
         WorkingDirectory=/run/isosmith-kiosk\n\
         ExecStart={COMPOSITOR}\n\
         NoNewPrivileges=yes\n\
         PrivateTmp=yes\n\
         Restart=always\n\
         RestartSec=1\n\n\
         [Install]\n\
         WantedBy=graphical.target\n"
    )
}

/// Without a render node (virtual machines, simple framebuffers) wlroots must be told to draw
/// with the processor. Without input devices it would refuse to start, and a kiosk may have none.
fn compositor() -> String {
    format!(
        "#!/bin/sh\n\
         export XKB_DEFAULT_MODEL=\"$XKBMODEL\" XKB_DEFAULT_LAYOUT=\"$XKBLAYOUT\"\n\
         export XKB_DEFAULT_VARIANT=\"$XKBVARIANT\" XKB_DEFAULT_OPTIONS=\"$XKBOPTIONS\"\n\
         export WLR_LIBINPUT_NO_DEVICES=1\n\
         if ! ls /dev/dri/renderD* > /dev/null 2>&1; then\n\
         \texport WLR_RENDERER=pixman LIBGL_ALWAYS_SOFTWARE=1\n\
         fi\n\
         # Without -s nobody switches to another console.\n\
         exec /usr/bin/cage -d -- {BROWSER}\n"
    )
}

fn browser(page: &str) -> String {
    let page = isosmith_host::cmd::quote(page);
    format!(
        "#!/bin/sh\n\
         exec /usr/bin/firefox-esr --no-remote --profile \"$(mktemp -d)\" --kiosk {page}\n"
    )
}

/// As for a login on a console, but for the password that the account does not have.
fn pam() -> String {
    "auth required pam_permit.so\n\
     account required pam_permit.so\n\
     password required pam_deny.so\n\
     session required pam_env.so\n\
     session required pam_unix.so\n\
     session required pam_systemd.so type=wayland class=user\n"
        .to_owned()
}

/// Mozilla's policies (`mozilla.github.io/policy-templates`): no settings, no add-ons, no
/// developer's tools, no first-run pages; files of the machine only where the page is one.
fn policies(page: &str) -> String {
    let blocked = if page.starts_with("file:") {
        json!([])
    } else {
        json!(["file://*/*"])
    };
    let policies = json!({ "policies": {
        "BlockAboutAddons": true,
        "BlockAboutConfig": true,
        "BlockAboutProfiles": true,
        "BlockAboutSupport": true,
        "DisableAppUpdate": true,
        "DisableDeveloperTools": true,
        "DisableFirefoxAccounts": true,
        "DisableFirefoxStudies": true,
        "DisablePocket": true,
        "DisableProfileImport": true,
        "DisableProfileRefresh": true,
        "DisableSafeMode": true,
        "DisableTelemetry": true,
        "DontCheckDefaultBrowser": true,
        "Homepage": { "URL": page, "Locked": true, "StartPage": "homepage-locked" },
        "InstallAddonsPermission": { "Default": false },
        "NoDefaultBookmarks": true,
        "OfferToSaveLogins": false,
        "OverrideFirstRunPage": "",
        "OverridePostUpdatePage": "",
        "PrintingEnabled": false,
        "PromptForDownloadLocation": false,
        "SkipTermsOfUse": true,
        "WebsiteFilter": { "Block": blocked },
        "Preferences": {
            "browser.aboutwelcome.enabled": { "Value": false, "Status": "locked" },
            "browser.sessionstore.resume_from_crash": { "Value": false, "Status": "locked" },
            "browser.tabs.warnOnClose": { "Value": false, "Status": "locked" },
            "datareporting.policy.dataSubmissionPolicyBypassNotification": { "Value": true, "Status": "locked" },
        },
    }});
    format!("{policies:#}\n")
}
