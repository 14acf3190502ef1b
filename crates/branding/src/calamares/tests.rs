use super::*;
use crate::Urls;

fn named(name: &str) -> Brand {
    Brand {
        name: name.to_owned(),
        short_name: name.chars().take(32).collect(),
        urls: Urls {
            home: Some("https://example.org/?a=\"b\"".to_owned()),
            ..Urls::default()
        },
        ..Brand::sample()
    }
}

fn text(files: &[(String, Vec<u8>)], name: &str) -> String {
    let (_, bytes) = files
        .iter()
        .find(|(path, _)| path == name)
        .unwrap_or_else(|| panic!("{name} is missing"));
    String::from_utf8(bytes.clone()).expect("text")
}

#[test]
fn every_name_stays_inside_its_quotes() {
    let names = [
        "Aurora OS",
        "Bob's \"best\" OS \\",
        "Größe ${NAME} $HOME",
        "مرحبا שלום",
        "🚀 Rocket",
        &"long ".repeat(40),
        "two\nlines",
    ];
    for name in names {
        let brand = named(name);
        let slide = Slide {
            title: name.to_owned(),
            text: format!("{name}\nand more"),
            picture: None,
        };
        let files = branding(&brand, &[slide]);
        let description = text(&files, "branding.desc");
        for line in description.lines().filter(|line| line.contains('"')) {
            let value = &line[line.find('"').expect("a quote")..];
            let read: String = serde_json::from_str(value).unwrap_or_else(|_| panic!("{line}"));
            assert_eq!(read.matches('$').count() % 2, 0, "{line}");
        }
        let qml = text(&files, "show.qml");
        let line = qml
            .lines()
            .find(|line| line.trim_start().starts_with("{ title: "))
            .expect("the slide");
        let json = line
            .trim()
            .trim_end_matches(',')
            .replacen("title:", "\"title\":", 1)
            .replacen(", text: ", ", \"text\": ", 1)
            .replacen(", picture: \"\" }", ", \"picture\": \"\" }", 1);
        let read: serde_json::Value =
            serde_json::from_str(&json).unwrap_or_else(|_| panic!("{json}"));
        assert_eq!(read["title"], one_line(name));
    }
}

#[test]
fn the_component_is_named_like_its_folder() {
    let check = |id: &str, want: &str| {
        let brand = Brand {
            id: id.to_owned(),
            ..Brand::sample()
        };
        assert_eq!(component_name(&brand), want);
        let files = branding(&brand, &[]);
        assert!(text(&files, "branding.desc").contains(&format!("componentName: {want}\n")));
    };
    check("aurora", "aurora");
    check("aurora.os-2", "auroraos-2");
    check("..", "product");
}

#[test]
fn what_the_files_name_is_there() {
    let brand = Brand::sample();
    let slides = [Slide {
        title: "A".to_owned(),
        text: "B".to_owned(),
        picture: Some(emblem::mark(&brand)),
    }];
    for slides in [&[][..], &slides] {
        let files = branding(&brand, slides);
        let named = text(&files, "show.qml") + &text(&files, "branding.desc");
        for word in named
            .split('"')
            .filter(|word| word.ends_with(".png") || word.ends_with(".qml"))
        {
            assert!(
                files.iter().any(|(path, _)| path == word),
                "{word} is missing"
            );
        }
        let braces = |c: char| text(&files, "show.qml").matches(c).count();
        assert_eq!(braces('{'), braces('}'));
    }
    assert_eq!(slide_count(&brand, &[]), 3);
    assert_eq!(slide_count(&brand, &slides), 1);
}

#[test]
fn pages_differ_and_no_size_is_too_small() {
    let brand = Brand::sample();
    let draw = |page, (width, height)| installer_preview(&brand, &[], page, width, height);
    for size in [(320, 240), (1024, 640), (1920, 1080)] {
        let welcome = draw(Page::Welcome, size);
        let slide = draw(Page::Slide(1), size);
        assert_eq!(welcome.dimensions(), size);
        assert_ne!(welcome, slide);
    }
    assert_eq!(draw(Page::Slide(99), (640, 480)).dimensions(), (640, 480));
}
