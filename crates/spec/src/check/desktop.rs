//! `[desktop]` and `[installer]`.

use super::read::Place;
use super::rules::INDISPENSABLE;
use crate::model::{Applications, Desktop, Environment, Installer, InstallerPage};
use crate::names::{DesktopFileId, PackageName, Uri, refuse_if};
use crate::problem::{Reason, quote};
use crate::raw::ENVIRONMENTS;
use crate::words::unknown;

pub(super) fn desktop(at: &Place<'_>) -> Option<Desktop> {
    let environment = at.get("environment").parse(environment);
    let size = at.get("size").parse(str::parse);
    let display_manager = at.get("display_manager").derived(str::parse);
    let session = at.get("session").derived(str::parse);
    let kiosk_page = at.get("kiosk_page").optional(Uri::parse);
    let applications = applications(&at.get("applications"));
    Some(Desktop {
        environment: environment?,
        size: size?,
        display_manager: display_manager?,
        session: session?,
        applications: applications?,
        kiosk_page: kiosk_page?,
    })
}

fn environment(text: &str) -> Result<Option<Environment>, Reason> {
    match text {
        "none" => Ok(None),
        word => word
            .parse()
            .map(Some)
            .map_err(|_: Reason| unknown("desktop", word, &ENVIRONMENTS)),
    }
}

fn applications(at: &Place<'_>) -> Option<Applications> {
    let application = |key: &str| at.get(key).optional(DesktopFileId::parse);
    let browser = application("browser");
    let mail = application("mail");
    let files = application("files");
    let editor = application("editor");
    let player = application("player");
    let pictures = application("pictures");
    Some(Applications {
        browser: browser?,
        mail: mail?,
        files: files?,
        editor: editor?,
        player: player?,
        pictures: pictures?,
    })
}

pub(super) fn installer(at: &Place<'_>) -> Option<Installer> {
    let calamares = at.get("calamares").switch();
    let debian = at.get("debian").switch();
    let only = at.get("only").switch();
    let pages = pages(&at.get("pages"));
    let filesystem = at.get("filesystem").parse(str::parse);
    let swap = at.get("swap").parse(str::parse);
    let encryption = at.get("encryption").parse(str::parse);
    let luks = at.get("luks").parse(str::parse);
    let remove = at.get("remove").distinct(removable);
    Some(Installer {
        calamares: calamares?,
        debian: debian?,
        only: only?,
        pages: pages?,
        filesystem: filesystem?,
        swap: swap?,
        encryption: encryption?,
        luks: luks?,
        remove: remove?,
    })
}

/// Pages without which nothing could be installed, or nobody would know what is going to happen.
const NEEDED_PAGES: [InstallerPage; 3] = [
    InstallerPage::Partition,
    InstallerPage::Users,
    InstallerPage::Summary,
];

fn pages(at: &Place<'_>) -> Option<Vec<InstallerPage>> {
    let mut pages: Vec<InstallerPage> = at.distinct(str::parse)?;
    let missing: Vec<InstallerPage> = NEEDED_PAGES
        .into_iter()
        .filter(|page| !pages.contains(page))
        .collect();
    for page in &missing {
        at.refuse(
            format!("the installer cannot do without its page `{page}`"),
            format!("add `\"{page}\"`"),
        );
    }
    pages.sort();
    missing.is_empty().then_some(pages)
}

/// Beginnings of the names of kernels and boot loaders.
const KEPT_KINDS: [&str; 3] = ["linux-image-", "grub", "shim-"];

/// What an installed system could not start, or not be updated, without: what the live one needs,
/// but for what makes it a live one.
fn is_kept(name: &str) -> bool {
    INDISPENSABLE.contains(&name) && !name.starts_with("live-") && name != "user-setup"
}

fn removable(text: &str) -> Result<PackageName, Reason> {
    let name = PackageName::parse(text)?;
    let kept = is_kept(text) || KEPT_KINDS.iter().any(|kind| text.starts_with(kind));
    refuse_if(
        kept,
        || {
            format!(
                "the installed system could not start without {}",
                quote(text)
            )
        },
        "remove it from the list",
    )?;
    Ok(name)
}
