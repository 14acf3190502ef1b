//! The figures, for people and for programs.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use super::{measure::median, ways::Image};
use crate::system::Machine;

/// All images that were built one way.
#[derive(Debug)]
pub struct Row {
    /// Which way.
    pub name: &'static str,
    /// What came of it, in the order of the rounds.
    pub images: Vec<Image>,
}

impl Row {
    /// A way without images.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            images: Vec::new(),
        }
    }

    fn times(&self) -> Vec<Duration> {
        self.images.iter().map(|image| image.took).collect()
    }

    fn median(&self) -> f64 {
        median(&self.times()).as_secs_f64()
    }

    fn peak_kib(&self) -> Option<u64> {
        self.images.iter().filter_map(|image| image.peak_kib).max()
    }
}

/// One run of the bench.
#[derive(Debug)]
pub struct Report {
    /// Year, month and day, UTC.
    pub date: String,
    /// Where it ran.
    pub machine: Machine,
    /// Where all packages came from.
    pub mirror: String,
    /// What was asked for in every image.
    pub packages: Vec<String>,
    /// The ways, in the order in which they are shown.
    pub rows: Vec<Row>,
    /// Pairs of ways whose times are compared, where both were measured.
    pub ratios: Vec<(&'static str, &'static str)>,
}

impl Report {
    fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// Each pair that was measured, with the first one's time in parts of the second one's.
    fn compared(&self) -> Vec<(&'static str, &'static str, f64)> {
        let ratio = |&(one, other): &(&'static str, &'static str)| {
            Some((
                one,
                other,
                self.row(one)?.median() / self.row(other)?.median(),
            ))
        };
        self.ratios.iter().filter_map(ratio).collect()
    }

    /// For a repository.
    pub fn markdown(&self) -> String {
        let Machine {
            cores,
            memory_mib,
            kernel,
            system,
            processor,
        } = &self.machine;
        let mut text = format!("# Pipeline, {}\n\n", self.date);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{cores} cores ({processor}), {memory_mib} MiB memory, Linux {kernel}, {system}. Debian trixie, amd64, \
             from {}, `main` only, nothing recommended. Every way downloads its packages anew, except where the table \
             says that nothing or little has changed. The page cache is not emptied between the builds.\n\n\
             Asked for: {}.\n\n",
            self.mirror,
            self.packages.join(" ")
        );
        text.push_str("| way | median | each round | ISO | squashfs | packages | peak memory of the engine |\n");
        text.push_str("|---|---:|---|---:|---:|---:|---:|\n");
        for row in &self.rows {
            let each: Vec<String> = row
                .times()
                .iter()
                .map(|time| format!("{:.2}", time.as_secs_f64()))
                .collect();
            let Some(last) = row.images.last() else {
                continue;
            };
            let peak = row
                .peak_kib()
                .map_or_else(|| "–".to_owned(), |kib| format!("{} MiB", kib / 1024));
            let _ = writeln!(
                text,
                "| {} | {:.2} s | {} | {:.1} MB | {:.1} MB | {} | {peak} |",
                row.name,
                row.median(),
                each.join(", "),
                last.iso_bytes as f64 / 1e6,
                last.squashfs_bytes as f64 / 1e6,
                last.packages.len()
            );
        }
        text.push('\n');
        for (one, other, ratio) in self.compared() {
            let _ = writeln!(
                text,
                "- {one} / {other}: **{ratio:.2}** ({:.1} times as fast)",
                1.0 / ratio
            );
        }
        for (one, other, only, missing) in self.differences() {
            let list = |names: &[&String]| match names {
                [] => "none".to_owned(),
                _ => names
                    .iter()
                    .map(|name| name.as_str())
                    .collect::<Vec<_>>()
                    .join(" "),
            };
            let _ = writeln!(
                text,
                "- packages only in {one}, not in {other}: {}; the other way round: {}",
                list(&only),
                list(&missing)
            );
        }
        text
    }

    /// For each compared pair, which packages only one of them has.
    fn differences(&self) -> Vec<(&'static str, &'static str, Vec<&String>, Vec<&String>)> {
        let packages =
            |name| -> Option<&BTreeSet<String>> { Some(&self.row(name)?.images.last()?.packages) };
        let difference = |&(one, other): &(&'static str, &'static str)| {
            let (ours, theirs) = (packages(one)?, packages(other)?);
            Some((
                one,
                other,
                ours.difference(theirs).collect(),
                theirs.difference(ours).collect(),
            ))
        };
        self.ratios.iter().filter_map(difference).collect()
    }

    /// For programs; times in seconds, sizes in bytes, memory in KiB.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "way": row.name,
                "seconds": row.times().iter().map(Duration::as_secs_f64).collect::<Vec<_>>(),
                "medianSeconds": row.median(),
                "isoBytes": row.images.last().map(|image| image.iso_bytes),
                "squashfsBytes": row.images.last().map(|image| image.squashfs_bytes),
                "packages": row.images.last().map(|image| image.packages.len()),
                "enginePeakKib": row.peak_kib(),
            })
        });
        let ratios = self
            .compared()
            .into_iter()
            .map(|(one, other, ratio)| json!({ "of": one, "to": other, "ratio": ratio }));
        json!({
            "date": self.date,
            "machine": {
                "cores": self.machine.cores,
                "memoryMib": self.machine.memory_mib,
                "kernel": self.machine.kernel,
                "system": self.machine.system,
                "processor": self.machine.processor,
            },
            "mirror": self.mirror,
            "packages": self.packages,
            "rows": rows.collect::<Vec<_>>(),
            "ratios": ratios.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, seconds: &[u64], packages: &[&str], peak_kib: Option<u64>) -> Row {
        let image = |&seconds: &u64| Image {
            took: Duration::from_secs(seconds),
            peak_kib,
            iso_bytes: 302_000_000,
            squashfs_bytes: 280_000_000,
            packages: packages.iter().map(|&name| name.to_owned()).collect(),
        };
        Row {
            name,
            images: seconds.iter().map(image).collect(),
        }
    }

    #[test]
    fn a_report_compares_what_was_measured() {
        let report = Report {
            date: "2026-01-02".into(),
            machine: Machine::read(),
            mirror: "http://mirror".into(),
            packages: vec!["sudo".into()],
            rows: vec![
                row("hand", &[40, 60], &["sudo", "tzdata"], None),
                row("ours", &[25], &["sudo"], Some(2048)),
            ],
            ratios: vec![("ours", "hand"), ("ours", "not measured")],
        };
        let text = report.markdown();
        for want in [
            "| hand | 50.00 s | 40.00, 60.00 | 302.0 MB | 280.0 MB | 2 | – |",
            "| ours | 25.00 s | 25.00 | 302.0 MB | 280.0 MB | 1 | 2 MiB |",
            "- ours / hand: **0.50** (2.0 times as fast)",
            "- packages only in ours, not in hand: none; the other way round: tzdata",
        ] {
            assert!(text.contains(want), "no {want:?} in:\n{text}");
        }
        assert!(!text.contains("not measured"));
        let json = report.json();
        assert_eq!(
            json["ratios"],
            json!([{ "of": "ours", "to": "hand", "ratio": 0.5 }])
        );
        assert_eq!(json["rows"][1]["enginePeakKib"], 2048);
    }
}
