//! The login screen: a theme of our own for SDDM, and what GDM and LightDM let be chosen.

mod gdm;
mod lightdm;
mod preview;
mod sddm;

use isosmith_spec::model::DisplayManager;

use crate::{Brand, Image, Rect, TreeFile};

pub use sddm::THEME as SDDM_THEME;

/// Files of a display manager, by their paths in the tree. The greeter of LightDM also needs
/// the GTK theme and the icons of [`crate::desktop::common`].
pub fn files(brand: &Brand, display_manager: DisplayManager) -> Vec<TreeFile> {
    match display_manager {
        DisplayManager::Sddm => sddm::files(brand),
        DisplayManager::Gdm => gdm::files(brand),
        DisplayManager::Lightdm => lightdm::files(brand),
        DisplayManager::None => Vec::new(),
    }
}

/// The login screen of a display manager, with one user called `user`; `None` where there is
/// no login screen.
pub fn login_preview(
    brand: &Brand,
    display_manager: DisplayManager,
    user: &str,
    width: u32,
    height: u32,
) -> Option<Image> {
    match display_manager {
        DisplayManager::Sddm => Some(preview::sddm(brand, user, width, height)),
        DisplayManager::Gdm => Some(preview::gdm(brand, user, width, height)),
        DisplayManager::Lightdm => Some(preview::lightdm(brand, user, width, height)),
        DisplayManager::None => None,
    }
}

/// Where a login screen shows words, times and fields that depend on the machine and its
/// language: what a comparison with a screendump leaves out.
pub fn moving_regions(display_manager: DisplayManager, width: u32, height: u32) -> Vec<Rect> {
    match display_manager {
        DisplayManager::Sddm => sddm::Places::on(width, height).texts(),
        DisplayManager::Gdm => vec![Rect::new(0, 0, width as i32, 40)],
        DisplayManager::Lightdm => preview::lightdm_texts(width, height),
        DisplayManager::None => Vec::new(),
    }
}

/// CSS of the greeter, for the GTK theme that LightDM and the desktop share.
pub(crate) use lightdm::css as greeter_css;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_display_manager_has_files_and_a_picture() {
        let brand = Brand::sample();
        for manager in [
            DisplayManager::Sddm,
            DisplayManager::Gdm,
            DisplayManager::Lightdm,
        ] {
            assert!(!files(&brand, manager).is_empty(), "{manager:?}");
            for size in [(640, 480), (1280, 800), (1920, 1080)] {
                let drawn = login_preview(&brand, manager, "Ada", size.0, size.1).expect("drawn");
                assert_eq!(drawn.dimensions(), size);
                let masked: i32 = moving_regions(manager, size.0, size.1)
                    .iter()
                    .map(|region| region.width * region.height)
                    .sum();
                let all = (size.0 * size.1) as i32;
                let usual = size.0 >= 1024;
                assert!(
                    !usual || masked * 3 < all,
                    "{manager:?} leaves too much out"
                );
            }
        }
        assert!(files(&brand, DisplayManager::None).is_empty());
        assert!(login_preview(&brand, DisplayManager::None, "", 64, 64).is_none());
    }

    #[test]
    fn no_name_breaks_a_file() {
        for name in ["Bob's \"OS\" \\", "a\nb = c\n[d]", "🚀 ${x}", "عربي"] {
            let brand = Brand {
                name: name.to_owned(),
                short_name: name.to_owned(),
                ..Brand::sample()
            };
            for manager in [
                DisplayManager::Gdm,
                DisplayManager::Lightdm,
                DisplayManager::Sddm,
            ] {
                for file in files(&brand, manager) {
                    let Ok(text) = String::from_utf8(file.bytes) else {
                        continue;
                    };
                    let broken = text.lines().any(|line| line == "b = c" || line == "[d]");
                    assert!(!broken, "{}: {text}", file.path);
                }
            }
        }
    }
}
