//! `[profile]`, `[branding]` and `[image]`.

use super::read::Place;
use super::system::web;
use crate::model::{Branding, Image, ProfileInfo, Slide, Urls};
use crate::names::{
    Codename, Label, MaterialPath, OsId, SourceDate, nothing_hidden, one_line, only, os_word,
    refuse_if, slug, visible,
};
use crate::problem::{Reason, nearest, quote};

pub(super) fn profile(at: &Place<'_>) -> Option<ProfileInfo> {
    let name = match at.get("name").is_written() {
        true => at.get("name").parse(|text| slug(text, "profile name")),
        // Merging has already asked every profile for its name.
        false => None,
    };
    let description = at.get("description").parse(|text| {
        nothing_hidden(text)?;
        Ok(text.to_owned())
    });
    Some(ProfileInfo {
        name: name?,
        description: description?,
    })
}

pub(super) fn branding(at: &Place<'_>) -> Option<Branding> {
    let line = |text: &str, what: &str, most: usize| {
        one_line(text, what, most)?;
        Ok(text.to_owned())
    };
    let name_of = |text: &str, what: &str, most: usize| {
        visible(text, what)?;
        line(text, what, most)
    };
    let name = at
        .get("name")
        .derived(|text| name_of(text, "product name", 64));
    let short_name = at
        .get("short_name")
        .derived(|text| name_of(text, "short name", 32));
    let id = at.get("id").derived(OsId::parse);
    let version = at.get("version").parse(|text| {
        if !text.is_empty() {
            os_word(text, "version")?;
        }
        Ok(text.to_owned())
    });
    let codename = at.get("codename").parse(Codename::parse);
    let vendor = at.get("vendor").parse(|text| line(text, "vendor", 64));
    let urls = urls(&at.get("urls"));
    let logo = at
        .get("logo")
        .optional(|text| picture(text, &["svg", "png"]));
    let wallpaper = at.get("wallpaper").optional(large_picture);
    let wallpaper_dark = at.get("wallpaper_dark").optional(large_picture);
    let accent = at.get("accent").parse(str::parse);
    let background = at.get("background").parse(str::parse);
    let text = at.get("text").parse(str::parse);
    let motd = at.get("motd").optional(lines);
    let slides = slides(&at.get("slides"));
    Some(Branding {
        name: name?,
        short_name: short_name?,
        id: id?,
        version: version?,
        codename: codename?,
        vendor: vendor?,
        urls: urls?,
        logo: logo?,
        wallpaper: wallpaper?,
        wallpaper_dark: wallpaper_dark?,
        accent: accent?,
        background: background?,
        text: text?,
        motd: motd?,
        slides: slides?,
    })
}

fn urls(at: &Place<'_>) -> Option<Urls> {
    let home = at.get("home").optional(web);
    let support = at.get("support").optional(web);
    let bugs = at.get("bugs").optional(web);
    let documentation = at.get("documentation").optional(web);
    Some(Urls {
        home: home?,
        support: support?,
        bugs: bugs?,
        documentation: documentation?,
    })
}

fn large_picture(text: &str) -> Result<MaterialPath, Reason> {
    picture(text, &["svg", "png", "jpg", "jpeg", "webp"])
}

fn picture(text: &str, kinds: &[&str]) -> Result<MaterialPath, Reason> {
    let path = MaterialPath::parse(text)?;
    let kind = text
        .rsplit_once('.')
        .map(|(_, kind)| kind.to_ascii_lowercase());
    refuse_if(
        !kind.is_some_and(|kind| kinds.contains(&kind.as_str())),
        || format!("{} is not a picture of a known kind", quote(text)),
        format!("name a file that ends in .{}", kinds.join(", .")),
    )?;
    Ok(path)
}

fn lines(text: &str) -> Result<String, Reason> {
    for line in text.lines() {
        nothing_hidden(&line.replace('\t', " "))?;
    }
    Ok(text.to_owned())
}

/// More are not seen: copying takes a few minutes.
const MOST_SLIDES: usize = 5;

fn slides(at: &Place<'_>) -> Option<Vec<Slide>> {
    for extra in at.entries().iter().skip(MOST_SLIDES) {
        extra.refuse(
            format!("the installer shows at most {MOST_SLIDES} slides"),
            "remove this one, or another",
        );
    }
    at.list(|at| {
        let title = at.get("title").parse(|text| {
            visible(text, "title")?;
            short(text, "title", 80)
        });
        let text = at.get("text").parse(|text| {
            lines(text)?;
            short(text, "text", 600)
        });
        let picture = at.get("picture").optional(large_picture);
        Some(Slide {
            title: title?,
            text: text?,
            picture: picture?,
        })
    })
}

fn short(text: &str, what: &str, most: usize) -> Result<String, Reason> {
    let length = text.chars().count();
    refuse_if(
        length > most,
        || format!("the {what} is {length} characters long; the most is {most}"),
        format!("shorten it to {most} characters"),
    )?;
    Ok(text.to_owned())
}

/// `[image]`, whose file name is made from fields all over the profile.
pub(super) fn image(root: &Place<'_>) -> Option<Image> {
    let at = root.get("image");
    let compression = at.get("compression").parse(str::parse);
    let label = at.get("label").derived(Label::parse);
    let source_date = source_date(&at.get("source_date"));
    let file_name = match &source_date {
        Some(date) => at
            .get("file_name")
            .derived(|text| file_name(text, root, *date)),
        None => None,
    };
    let checksums = at.get("checksums").distinct(str::parse);
    Some(Image {
        compression: compression?,
        label: label?,
        file_name: file_name?,
        checksums: checksums?,
        source_date: source_date?,
    })
}

fn source_date(at: &Place<'_>) -> Option<Option<SourceDate>> {
    let Some(seconds) = at.number() else {
        return at.optional(SourceDate::parse);
    };
    match SourceDate::from_seconds(seconds) {
        Ok(date) => Some(Some(date)),
        Err(reason) => {
            at.refuse_for(reason);
            None
        }
    }
}

const PLACEHOLDERS: [&str; 8] = [
    "arch", "codename", "date", "id", "name", "profile", "suite", "version",
];

/// Fills the placeholders in. One that is empty takes the separator before it along.
fn file_name(pattern: &str, root: &Place<'_>, date: Option<SourceDate>) -> Result<String, Reason> {
    nothing_hidden(pattern)?;
    let mut name = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        name.push_str(before);
        let Some((key, after)) = after.split_once('}') else {
            return Err(Reason::new(
                format!("a `{{` in {} is never closed", quote(pattern)),
                "write placeholders as `{version}`",
            ));
        };
        let value = placeholder(key, root, date)?;
        rest = after;
        match (value.is_empty(), name.ends_with(['-', '_', '.'])) {
            (false, _) => name.push_str(&value),
            (true, true) => {
                name.pop();
            }
            (true, false) => rest = rest.trim_start_matches(['-', '_']),
        }
    }
    name.push_str(rest);
    whole_file_name(&name)?;
    Ok(name)
}

fn placeholder(key: &str, root: &Place<'_>, date: Option<SourceDate>) -> Result<String, Reason> {
    let path = match key {
        "arch" => "base.architecture",
        "codename" => "branding.codename",
        "id" => "branding.id",
        "name" => "branding.name",
        "profile" => "profile.name",
        "suite" => "base.suite",
        "version" => "branding.version",
        "date" => {
            return date.map(SourceDate::day).ok_or_else(|| {
                Reason::new(
                    "`{date}` has no meaning without a source date: the name would change from build to build",
                    "set `image.source_date`, or remove `{date}`",
                )
            });
        }
        other => {
            let near = nearest(other, PLACEHOLDERS)
                .map(|near| format!("; did you mean `{{{near}}}`?"))
                .unwrap_or_default();
            return Err(Reason::new(
                format!(
                    "unknown placeholder {}{near}",
                    quote(&format!("{{{other}}}"))
                ),
                format!("write one of {{{}}}", PLACEHOLDERS.join("}, {")),
            ));
        }
    };
    let text = root.get(path).text().unwrap_or_default();
    let mut plain = String::new();
    for c in text.chars() {
        match c.is_ascii_alphanumeric() || "._+~-".contains(c) {
            true => plain.push(c),
            false if plain.ends_with('-') => {}
            false => plain.push('-'),
        }
    }
    Ok(plain.trim_matches('-').to_owned())
}

fn whole_file_name(name: &str) -> Result<(), Reason> {
    visible(name, "file name")?;
    crate::names::at_most(name, 200, "file name")?;
    refuse_if(
        name.contains('/'),
        || format!("the file name {} holds a folder", quote(name)),
        "write only the name; the folder is chosen when building",
    )?;
    only(
        name,
        |c| c.is_ascii_alphanumeric() || "._+~-".contains(c),
        "file name",
        "letters, digits and `. _ + ~ -`",
    )?;
    let stem = name.strip_suffix(".iso").ok_or_else(|| {
        Reason::new(
            format!("the file name {} does not end in `.iso`", quote(name)),
            "add `.iso`",
        )
    })?;
    refuse_if(
        stem.is_empty() || name.starts_with('.'),
        || format!("the file name {} begins with a dot", quote(name)),
        "write a name before `.iso`",
    )
}
