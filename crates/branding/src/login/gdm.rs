//! GDM: the logo and no banner; its background comes from GNOME Shell and cannot be chosen.

use super::super::desktop;
use crate::{Brand, TreeFile, escape::gvariant};

/// Logo at the foot of the screen, as high as GNOME Shell shows it (48 to 64 pixels).
pub(super) const LOGO: u32 = 64;

/// A key file for GDM's own dconf database, which `/usr/share/gdm/generate-config` compiles at
/// each start from this folder; after Debian's `90-debian-settings`.
pub(super) fn files(brand: &Brand) -> Vec<TreeFile> {
    let logo = desktop::icons::path(brand, LOGO);
    let accent = desktop::gnome::accent(brand.accent);
    let text = format!(
        "[org/gnome/login-screen]\nlogo={}\nbanner-message-enable=false\n\n[org/gnome/desktop/interface]\naccent-color={}\n",
        gvariant(&logo),
        gvariant(accent),
    );
    vec![TreeFile::new("/usr/share/gdm/dconf/95-brand", text)]
}
