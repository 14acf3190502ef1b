//! How large and how fast a catalogue is, and what it finds: `figures FOLDER PROFILE [WORDS…]`.
//! The profile is one merged text (`isosmith plan --merged`).
#![allow(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use isosmith_catalogue::{Catalogue, Sources, mirrors::Machine};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("a folder for the cache");
    let profile = arguments.next().expect("a profile");
    let text = std::fs::read_to_string(profile).expect("the profile can be read");
    let layer = isosmith_spec::Layer::new(isosmith_spec::Origin::Profile("it".into()), "", text);
    let (spec, _) = isosmith_spec::load(vec![layer], &|_| None).expect("a good profile");

    let begun = Instant::now();
    let sources = Sources::of(&spec, &Machine::read(Path::new("/")));
    let catalogue = Catalogue::open(Path::new(&folder), sources);
    while catalogue.status().generation == 0 && begun.elapsed() < Duration::from_secs(1) {
        std::thread::sleep(Duration::from_millis(1));
    }
    println!("something there after {:?}", begun.elapsed());
    catalogue.wait(Duration::from_secs(300));
    println!("up to date after {:?}", begun.elapsed());
    println!(
        "{:#?}, {} MiB",
        catalogue.status(),
        catalogue.memory() >> 20
    );

    let begun = Instant::now();
    let Some(selection) = catalogue.select(&spec) else {
        return;
    };
    println!(
        "selected in {:?}: {:?}",
        begun.elapsed(),
        selection.totals()
    );
    let solution = selection.solution();
    println!("missing: {:?}", solution.missing);
    if let Ok(path) = std::env::var("LIST") {
        let lines = solution.packages.iter();
        let lines: String = lines
            .map(|p| format!("{} {}\n", p.name, p.version))
            .collect();
        std::fs::write(path, lines).expect("the list can be written");
    }
    for words in arguments {
        let hits = catalogue.search(&words, 12, Some(&selection));
        println!("\n{words}: {} in {:?}", hits.total, hits.took);
        for hit in &hits.hits {
            let begun = Instant::now();
            let cost = selection.cost(&hit.name);
            println!(
                "  {:<28} {:<14} {:<60.60} +{} packages, {} MiB, {:?}",
                hit.name,
                hit.section,
                hit.description,
                cost.packages.len(),
                cost.installed >> 20,
                begun.elapsed()
            );
        }
    }
}
