//! A profile at work, and what is worked out from it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A profile at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Draft {
    /// Names it while the window is open, and in the folder of unsaved drafts.
    pub id: String,
    /// The product's name and version.
    pub title: String,
    /// Its file; `null` before it was ever saved.
    pub path: Option<String>,
    /// The profile it stands on.
    pub profile: Option<String>,
    /// The person's own changes as a profile text: what is saved.
    pub toml: String,
    /// The merged profile in the shape of `profiles/schema.json`.
    #[cfg_attr(feature = "ts", ts(type = "Tree"))]
    pub values: Map<String, Value>,
    /// The same without the person's own changes.
    #[cfg_attr(feature = "ts", ts(type = "Tree"))]
    pub base: Map<String, Value>,
    /// Paths that the person's own text sets. What merely follows from them (a volume label
    /// from a name) differs from `base`, too, but is nobody's change.
    pub own: Vec<String>,
    /// Everything that keeps it from being built.
    pub problems: Vec<Problem>,
}

/// Something that keeps a draft from being built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Problem {
    /// The field, such as `software.packages[3]`; empty for the text as a whole.
    pub path: String,
    /// What is wrong and what to do about it.
    pub message: String,
    /// What a button can do about it.
    pub fix: Option<Fix>,
}

/// What a button does about a problem: it sets the whole field in which the problem is, such as
/// `software.packages` for `software.packages[3]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Fix {
    /// The button's word: what the field becomes.
    pub label: String,
    /// What the field becomes; `null` goes back to the profile's value.
    #[cfg_attr(feature = "ts", ts(type = "Json"))]
    pub value: Value,
}

/// What a draft is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum DraftSource {
    /// A shipped profile by its name: the draft stands on it.
    Profile(String),
    /// A profile file.
    Path(String),
    /// An ISO that carries its spec.
    Iso(String),
    /// A profile text.
    Text(String),
}

/// What a person is asked to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum PickKind {
    /// A picture: SVG, PNG, JPEG or WebP.
    Logo,
    /// A picture: PNG, JPEG, WebP or SVG.
    Wallpaper,
    /// A package file.
    Deb,
    /// A repository's public key.
    Key,
    /// A key or certificate, PEM.
    Pem,
    /// A program to run inside the image.
    Script,
    /// A folder laid over the image.
    Overlay,
    /// A folder for ISOs.
    Output,
    /// A profile to open, or where to save one.
    Spec,
    /// An ISO.
    Iso,
}

/// What a draft costs; `null` while it is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Totals {
    /// How many packages.
    pub packages: Option<u64>,
    /// To load, in bytes.
    pub download: Option<u64>,
    /// Unpacked, in bytes.
    pub installed: Option<u64>,
    /// The ISO, in bytes.
    pub iso: Option<u64>,
    /// The build's time, in seconds.
    pub seconds: Option<u64>,
    /// Left where the ISO will go, in bytes.
    pub free: u64,
    /// Where the ISO will go.
    pub folder: String,
    /// Whether the numbers come from a solved list of packages.
    pub exact: bool,
}

/// What a preview shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Surface {
    /// The boot menu under UEFI, and under BIOS where GRUB is chosen.
    Grub,
    /// The boot menu under BIOS.
    Isolinux,
    /// The splash while the system starts.
    Splash,
    /// The splash asking for the disk's password.
    Password,
    /// The login screen.
    Login,
    /// The desktop with light windows.
    DesktopLight,
    /// The desktop with dark windows.
    DesktopDark,
    /// The installer's first page.
    Installer,
    /// The installer's slides.
    Slides,
}

/// A drawn surface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Preview {
    /// A PNG.
    #[cfg_attr(feature = "ts", ts(type = "string | ArrayBuffer | number[]"))]
    pub png: Vec<u8>,
    /// What the surface cannot show well.
    pub warnings: Vec<PreviewWarning>,
}

/// What a surface cannot show well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PreviewWarning {
    /// How bad.
    pub severity: Severity,
    /// The field to change, such as `branding.accent`.
    pub field: String,
    /// In one or two sentences.
    pub message: String,
}

/// How bad a warning is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Severity {
    /// It will not look as wished.
    Warning,
    /// It cannot be shown or read.
    Error,
}

/// A package that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PackageHit {
    /// Its name.
    pub name: String,
    /// The version that would be installed.
    pub version: String,
    /// The archive's section, such as `editors`.
    pub section: String,
    /// One line.
    pub description: String,
    /// Installed, in bytes.
    pub size: u64,
    /// Whether the spec already brings it.
    pub installed: bool,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PackageHits {
    /// The best, best first.
    pub hits: Vec<PackageHit>,
    /// How many matched.
    pub total: u64,
    /// The search's time, in milliseconds.
    pub took: u64,
    /// Whether there is an index to search in.
    pub state: SearchState,
}

/// Whether there is an index to search in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum SearchState {
    /// The index is there.
    Ready,
    /// It is being loaded.
    Loading,
    /// It cannot be loaded; an older one may answer.
    Offline,
}

/// What one more package would bring along.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PackageCost {
    /// Names, its own among them.
    pub packages: Vec<String>,
    /// To load, in bytes.
    pub download: u64,
    /// Installed, in bytes.
    pub installed: u64,
}
