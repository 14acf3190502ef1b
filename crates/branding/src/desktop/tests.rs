use super::*;

const ALL: [Environment; 7] = [
    Environment::Kde,
    Environment::Gnome,
    Environment::Xfce,
    Environment::Lxqt,
    Environment::Cinnamon,
    Environment::Mate,
    Environment::Kiosk,
];

fn named(name: &str) -> Brand {
    Brand {
        name: name.to_owned(),
        short_name: name.chars().take(32).collect(),
        ..Brand::sample()
    }
}

fn text<'a>(files: &'a [TreeFile], end: &str) -> &'a str {
    let file = files
        .iter()
        .find(|file| file.path.ends_with(end))
        .unwrap_or_else(|| panic!("{end} is missing"));
    std::str::from_utf8(&file.bytes).expect("text")
}

#[test]
fn no_file_is_written_twice_and_none_says_debian() {
    let brand = Brand::sample();
    let common = common(&brand);
    for environment in ALL {
        let mut files = common.clone();
        files.extend(own(&brand, environment));
        for (number, file) in files.iter().enumerate() {
            assert!(file.path.starts_with('/'), "{}", file.path);
            assert!(!file.path.contains(".."), "{}", file.path);
            let twice = files[..number].iter().any(|other| other.path == file.path);
            assert!(!twice, "{environment:?}: {} twice", file.path);
            let Ok(text) = std::str::from_utf8(&file.bytes) else {
                continue;
            };
            assert!(!text.contains("Debian"), "{}", file.path);
        }
    }
}

#[test]
fn whatever_a_file_names_is_there() {
    let brand = Brand::sample();
    let common = common(&brand);
    for environment in ALL {
        let mut files = common.clone();
        files.extend(own(&brand, environment));
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        for file in &files {
            let Ok(text) = std::str::from_utf8(&file.bytes) else {
                continue;
            };
            for word in text.split(['"', '\'', '\n', '=', '<', '>', ' ']) {
                let word = word.trim_start_matches("file://");
                let ours = word.starts_with("/usr/share/backgrounds/aurora")
                    || word.starts_with("/usr/share/wallpapers/aurora")
                    || word.contains("distributor-logo-aurora.");
                let there = paths.contains(&word)
                    || paths
                        .iter()
                        .any(|path| word.ends_with('/') && path.starts_with(word));
                assert!(
                    !ours || there,
                    "{environment:?}: {} names {word}",
                    file.path
                );
            }
        }
    }
}

#[test]
fn hostile_names_stay_inside_their_places() {
    for name in [
        "Bob's \"OS\" \\",
        "a\n[KDE]\nx=y",
        "<b>&",
        "🚀 ${x}",
        "שלום",
        &"long ".repeat(40),
    ] {
        let brand = named(name);
        let kde = own(&brand, Environment::Kde);
        for end in [
            "wallpapers/aurora/metadata.json",
            "org.brand.desktop/metadata.json",
        ] {
            serde_json::from_str::<serde_json::Value>(text(&kde, end))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for environment in ALL {
            for file in own(&brand, environment) {
                let Ok(text) = String::from_utf8(file.bytes) else {
                    continue;
                };
                assert!(
                    !text.lines().any(|line| line == "x=y"),
                    "{}: {text}",
                    file.path
                );
            }
        }
        let gnome = own(&brand, Environment::Gnome);
        let list = text(&gnome, "gnome-background-properties/aurora.xml");
        assert_eq!(list.matches("<name>").count(), 1);
        assert!(!list.contains("<b>"));
    }
}

#[test]
fn xml_is_well_formed() {
    let brand = named("<&\">'");
    for environment in [Environment::Xfce, Environment::Gnome] {
        for file in own(&brand, environment) {
            if !file.path.ends_with(".xml") || file.path.contains("background-properties") {
                continue;
            }
            let text = String::from_utf8(file.bytes).expect("text");
            let options = resvg::usvg::roxmltree::ParsingOptions::default();
            resvg::usvg::roxmltree::Document::parse_with_options(&text, options)
                .unwrap_or_else(|error| panic!("{}: {error}", file.path));
        }
    }
}

#[test]
fn gnome_takes_the_nearest_of_its_colours() {
    let check = |colour: Rgb, want: &str| assert_eq!(gnome::accent(colour), want, "{colour}");
    check(Rgb::new(0xf5, 0x6e, 0x1e), "orange");
    check(Rgb::new(0x40, 0x90, 0xf0), "blue");
    check(Rgb::new(0xd0, 0x20, 0x40), "red");
    check(Rgb::new(0x80, 0x80, 0x90), "slate");
    check(Rgb::new(0x20, 0xa0, 0x40), "green");
}

#[test]
fn the_panel_is_where_the_environment_has_it() {
    let brand = Brand::sample();
    for environment in ALL {
        let [light, dark] = [Tone::Light, Tone::Dark]
            .map(|tone| desktop_preview(&brand, environment, tone, 800, 600));
        assert_eq!(light.dimensions(), (800, 600));
        if environment != Environment::Kiosk {
            assert_ne!(light, dark, "{environment:?}");
        }
        for region in moving_regions(environment, 800, 600) {
            assert!(
                region.right() <= 800 && region.bottom() <= 600,
                "{environment:?}"
            );
        }
    }
}
