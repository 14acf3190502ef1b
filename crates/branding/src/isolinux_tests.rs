use super::*;

fn stdmenu(brand: &Brand, menu: &Menu) -> String {
    let files = isolinux_theme(brand, menu);
    let file = files
        .iter()
        .find(|file| file.path == "stdmenu.cfg")
        .expect("the file");
    String::from_utf8(file.bytes.clone()).expect("ASCII")
}

/// The number after `menu NAME`.
fn setting(text: &str, name: &str) -> i32 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("menu {name} ")))
        .expect(name);
    line.parse().expect(name)
}

#[test]
fn the_picture_has_exactly_the_menus_resolution() {
    let files = isolinux_theme(&Brand::sample(), &Menu::sample(4));
    let splash = files
        .iter()
        .find(|file| file.path == "splash.png")
        .expect("the picture");
    let picture = image::load_from_memory(&splash.bytes).expect("a PNG");
    assert_eq!((picture.width(), picture.height()), SIZE);
    assert!(stdmenu(&Brand::sample(), &Menu::sample(4)).contains("menu resolution 640 480\n"));
    assert_eq!(files, isolinux_theme(&Brand::sample(), &Menu::sample(4)));
}

#[test]
fn rows_stand_below_each_other_for_every_length() {
    for count in [1, 3, 5, 8, 12] {
        let menu = Menu::sample(count);
        let text = stdmenu(&Brand::sample(), &menu);
        let vshift = setting(&text, "vshift");
        let last_entry = vshift + 3 + setting(&text, "rows");
        let rows = [
            last_entry,
            vshift + setting(&text, "timeoutrow"),
            vshift + setting(&text, "cmdlinerow"),
            vshift + setting(&text, "tabmsgrow"),
            // Everything from here on is cleared when help is shown.
            vshift + setting(&text, "helpmsgrow"),
        ];
        assert!(rows.is_sorted_by(|a, b| a < b), "{count}: {rows:?}");
        assert!(rows[4] <= 29, "{count}: {rows:?}");
    }
}

#[test]
fn the_panel_holds_the_entries_and_clears_the_name() {
    for count in [1, 5, 8, 12] {
        let brand = Brand {
            name: "A".repeat(40),
            ..Brand::sample()
        };
        let menu = Menu::sample(count);
        let theme = IsolinuxTheme::new(&brand, &menu);
        let frame = panel(theme.rows);
        for rect in theme.entry_rects(&menu) {
            assert_eq!(rect.clip(&frame), rect, "{count}");
        }
        assert!(frame.y > theme.lockup.picture.height() as i32, "{count}");
        assert!(!theme.countdown().touches(&frame), "{count}");
    }
}

#[test]
fn colours_are_the_brands() {
    let text = stdmenu(&Brand::sample(), &Menu::sample(4));
    assert!(
        text.contains("menu color sel * #ff121b2b #fff59e2e none\n"),
        "{text}"
    );
    assert!(
        text.contains("menu color unsel * #fff2f5f9 #00000000 none\n"),
        "{text}"
    );
    let lines = text
        .lines()
        .filter(|line| line.starts_with("menu color "))
        .count();
    assert_eq!(lines, 18);
}

#[test]
fn the_preview_marks_the_selected_row() {
    let brand = Brand::sample();
    let mut menu = Menu::sample(4);
    menu.selected = 2;
    let theme = IsolinuxTheme::new(&brand, &menu);
    let picture = theme.preview(&menu);
    let is_marked = |rect: &Rect| {
        picture.get_pixel(rect.right() as u32 + 2, rect.y as u32 + 2) == &rgba(brand.accent, 255)
    };
    let marked: Vec<bool> = theme.entry_rects(&menu).iter().map(is_marked).collect();
    assert_eq!(marked, [false, false, true, false]);
}

#[test]
fn labels_become_bytes_of_the_pcs_own_font() {
    let check = |label: &str, want: &[u8]| assert_eq!(label_bytes(label), want, "{label}");
    check("Live", b"Live");
    check("Prüfung", b"Pr\x81fung");
    check("漢 ^L\n", b"? L ");
}
