//! Which files a spec brings along.

use crate::model::BuildSpec;
use crate::names::MaterialPath;

/// A file or folder that a spec needs besides packages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Material {
    /// Where it is.
    pub path: MaterialPath,
    /// What it is for, which decides what it may look like.
    pub kind: MaterialKind,
    /// The field that names it, such as `files[0].source`; the index is that of the spec.
    pub field: String,
}

/// What a [`Material`] is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MaterialKind {
    /// An OpenPGP public key of a repository.
    Key,
    /// A Debian package.
    Deb,
    /// A file or folder that is laid over the tree.
    Overlay,
    /// A script.
    Script,
    /// The logo.
    Logo,
    /// A wallpaper, or another large picture.
    Wallpaper,
    /// A private key that signs for Secure Boot; never a part of the image.
    SigningKey,
    /// The certificate of such a key.
    Certificate,
}

impl MaterialKind {
    /// Whether it is decoded as a picture.
    #[must_use]
    pub const fn is_picture(self) -> bool {
        match self {
            Self::Logo | Self::Wallpaper => true,
            Self::Key
            | Self::Deb
            | Self::Overlay
            | Self::Script
            | Self::SigningKey
            | Self::Certificate => false,
        }
    }
}

impl BuildSpec {
    /// Every file and folder that a build reads, in the order of the profile's sections.
    pub fn materials(&self) -> Vec<Material> {
        let material = |path: &MaterialPath, kind, field: String| Material {
            path: path.clone(),
            kind,
            field,
        };
        let keys = self
            .base
            .repositories
            .iter()
            .enumerate()
            .map(|(index, repository)| {
                let field = format!("base.repositories[{index}].key");
                material(&repository.key, MaterialKind::Key, field)
            });
        let archive = self.base.key.iter();
        let archive = archive.map(|key| material(key, MaterialKind::Key, "base.key".to_owned()));
        let debs = self.software.debs.iter().enumerate().map(|(index, deb)| {
            material(deb, MaterialKind::Deb, format!("software.debs[{index}]"))
        });
        let files = self.files.iter().enumerate().map(|(index, file)| {
            material(
                &file.source,
                MaterialKind::Overlay,
                format!("files[{index}].source"),
            )
        });
        let scripts = self.scripts.iter().enumerate().map(|(index, script)| {
            material(
                &script.source,
                MaterialKind::Script,
                format!("scripts[{index}].source"),
            )
        });
        let logo = self.branding.logo.iter();
        let logo = logo.map(|path| material(path, MaterialKind::Logo, "branding.logo".to_owned()));
        let wallpapers = [
            ("wallpaper", &self.branding.wallpaper),
            ("wallpaper_dark", &self.branding.wallpaper_dark),
        ];
        let wallpapers = wallpapers.into_iter().filter_map(|(key, path)| {
            let field = format!("branding.{key}");
            Some(material(path.as_ref()?, MaterialKind::Wallpaper, field))
        });
        let slides = self.branding.slides.iter().enumerate();
        let slides = slides.filter_map(|(index, slide)| {
            let field = format!("branding.slides[{index}].picture");
            let path = slide.picture.as_ref()?;
            Some(material(path, MaterialKind::Wallpaper, field))
        });
        let signing = self.security.signing.iter().flat_map(|signing| {
            let field = |key| format!("security.signing.{key}");
            [
                material(&signing.key, MaterialKind::SigningKey, field("key")),
                material(
                    &signing.certificate,
                    MaterialKind::Certificate,
                    field("certificate"),
                ),
            ]
        });
        archive
            .chain(keys)
            .chain(debs)
            .chain(files)
            .chain(scripts)
            .chain(signing)
            .chain(logo)
            .chain(wallpapers)
            .chain(slides)
            .collect()
    }
}
