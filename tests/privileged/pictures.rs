//! Pictures that would harm whoever draws them are refused before anything is built.

use std::fs;

use anyhow::{Result, ensure};
use isosmith_tests::{Kit, Small};
use libtest_mimic::Trial;

use super::trial;

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![trial(kit, "pictures::bad_ones_are_refused_first", refused)]
}

fn svg(body: &str) -> Vec<u8> {
    format!("<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"64\" height=\"64\">{body}</svg>")
        .into_bytes()
}

fn table() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let entities: String = (1..12)
        .map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10)))
        .collect();
    vec![
        ("a bomb of entities", "logo.svg", format!("<!DOCTYPE svg [<!ENTITY l0 \"lol\">{entities}]><svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><text>&l11;</text></svg>").into_bytes()),
        ("a file of the machine", "logo.svg", svg("<image href=\"file:///etc/passwd\" width=\"9\" height=\"9\"/>")),
        ("a file beside it", "logo.svg", svg("<image xlink:href=\"secret.png\" width=\"9\" height=\"9\"/>")),
        ("an address", "logo.svg", svg("<image href=\"http://127.0.0.1:9/x.png\" width=\"9\" height=\"9\"/>")),
        ("a size without end", "logo.svg", b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9000000\" height=\"9000000\"><rect width=\"9\" height=\"9\"/></svg>".to_vec()),
        ("a small file of huge size", "logo.png", png(60_000, 60_000)),
        ("half a picture", "logo.png", png(64, 64)),
        ("no picture", "logo.png", b"#!/bin/sh\n".to_vec()),
        ("nothing", "logo.png", Vec::new()),
        ("too many bytes", "logo.png", vec![0; 21 << 20]),
    ]
}

/// A PNG whose header says a size and whose body holds nothing of it.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        file.extend((data.len() as u32).to_be_bytes());
        let mut body = kind.to_vec();
        body.extend(data);
        file.extend(&body);
        file.extend(crc(&body).to_be_bytes());
    };
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 6, 0, 0, 0]);
    chunk(b"IHDR", &header);
    // An empty zlib stream.
    chunk(b"IDAT", &[0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]);
    chunk(b"IEND", &[]);
    file
}

/// CRC-32 of a chunk (ISO 3309, as the PNG specification has it).
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    };
    !bytes.iter().fold(!0, step)
}

fn refused(kit: &Kit) -> Result<()> {
    let scratch = kit.scratch("pictures")?;
    let small = Small::serve(kit, scratch.path(), &[])?;
    let isosmith = kit.isosmith(scratch.path());
    let mut wrong = Vec::new();
    for (what, name, bytes) in table() {
        fs::write(scratch.path().join(name), bytes)?;
        let profile = small.profile("pictures")?;
        let text = fs::read_to_string(&profile)?.replacen(
            "[branding]",
            &format!("[branding]\nlogo = \"{name}\""),
            1,
        );
        fs::write(&profile, text)?;
        let ended = isosmith.build(&profile)?;
        if ended.status.code() != Some(3) {
            wrong.push(format!("{what}: {}, {:?}", ended.status, ended.result()));
        } else if !ended.stderr.contains("branding.logo") {
            wrong.push(format!("{what}: the field is not named: {}", ended.stderr));
        }
        if !ended.events.is_empty() {
            wrong.push(format!("{what}: the build had begun"));
        }
        let left = fs::read_dir(isosmith.state.join("builds")).map_or(0, Iterator::count);
        if left > 0 {
            wrong.push(format!("{what}: {left} folders of builds are left"));
            fs::remove_dir_all(isosmith.state.join("builds"))?;
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
