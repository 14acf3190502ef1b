//! Figures of the window, on demand. They are printed, never judged: how fast a machine is says
//! nothing about whether the window works.

use std::{
    fs,
    io::{BufWriter, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use isosmith_tests::Kit;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    driver::{Driver, SOON},
    mock::memory,
    trial,
    world::{ALICE, World},
};

/// How long the flood lasts, in seconds, and how many lines come in each.
const FLOOD: (u64, u64) = (60, 20_000);

pub fn trials(kit: &Kit) -> Vec<Trial> {
    vec![
        trial(kit, "figures::start_and_memory", start).with_ignored_flag(true),
        trial(kit, "figures::preview_and_search", preview).with_ignored_flag(true),
        trial(kit, "figures::a_flood_of_lines", flood).with_ignored_flag(true),
    ]
}

/// From the start of WebKit's driver, which is part of it, to a page that can be used.
fn start(kit: &Kit) -> Result<()> {
    for _ in 0..5 {
        let world = World::bare(kit, "start", ALICE)?;
        let begun = Instant::now();
        let window = world.window(&["--mock"])?;
        window.await_text("Isosmith Minimal", SOON)?;
        eprintln!("start to interactive: {} ms", begun.elapsed().as_millis());
        std::thread::sleep(Duration::from_secs(5));
        eprintln!("idle memory: {}", memory(&world)?);
    }
    Ok(())
}

/// Runs `work` in the page, the body of an asynchronous function, and waits for what it returns.
fn measure(window: &Driver, work: &str, limit: Duration) -> Result<Value> {
    window.script(&format!(
        "window.measured = undefined; (async () => {{ {work} }})()\
         .then((found) => {{ window.measured = found ?? null }}, (error) => {{ window.measured = String(error) }})"
    ))?;
    window.wait("the measurement", limit, || {
        Ok(window.script("return window.measured !== undefined")? == true)
    })?;
    window.script("return window.measured")
}

/// The middle and the longest of many times in milliseconds.
fn spread(times: &Value) -> Result<String> {
    let times = times.as_array().with_context(|| times.to_string())?;
    let mut times: Vec<f64> = times.iter().filter_map(Value::as_f64).collect();
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    Ok(format!(
        "median {:.0} ms, 99 of 100 within {:.0} ms, longest {:.0} ms ({} times)",
        at(0.5),
        at(0.99),
        at(1.0),
        times.len()
    ))
}

/// From a key that is pressed to another picture; and searches, with the way to Rust and back.
fn preview(kit: &Kit) -> Result<()> {
    const PREVIEWS: &str = "
        const times = [];
        const shown = () => document.querySelector('.preview img')?.src;
        const input = document.querySelector('[data-field=\"branding.name\"] input');
        for (let round = 0; round < 40; round++) {
            const before = shown();
            const begun = performance.now();
            input.value = `Aurora ${round}`;
            input.dispatchEvent(new Event('input', { bubbles: true }));
            while (shown() === before && performance.now() - begun < 5000) {
                await new Promise((next) => requestAnimationFrame(next));
            }
            times.push(performance.now() - begun);
            await new Promise((next) => setTimeout(next, 300));
        }
        return times;";
    const SEARCHES: &str = "
        const call = window.__TAURI_INTERNALS__.invoke;
        const draft = await call('open_draft', { from: { profile: 'minimal' } });
        const search = (query) => call('search_packages', { id: draft.id, query, limit: 50 });
        for (let round = 0; (await search('vim')).state === 'loading' && round < 600; round++) {
            await new Promise((next) => setTimeout(next, 100));
        }
        const times = [];
        for (const word of ['firefox', 'python3', 'text editor', 'lib', 'network manager', 'kde']) {
            for (let length = 1; length <= word.length; length++) {
                const begun = performance.now();
                await search(word.slice(0, length));
                times.push(performance.now() - begun);
            }
        }
        return times;";

    let world = World::bare(kit, "preview", ALICE)?;
    let window = world.window(&["--mock"])?;
    window.await_text("Isosmith Minimal", SOON)?;
    window.press("Start from Isosmith Minimal")?;
    window.wait("a preview", SOON, || {
        let there =
            "return document.querySelector('.preview img')?.src.startsWith('blob:') ?? false";
        Ok(window.script(there)? == true)
    })?;
    let previews = measure(&window, PREVIEWS, Duration::from_secs(300))?;
    eprintln!("preview after a key: {}", spread(&previews)?);
    let searches = measure(&window, SEARCHES, Duration::from_secs(120))?;
    eprintln!("package search: {}", spread(&searches)?);
    Ok(())
}

/// Frames while lines come faster than anybody reads.
fn flood(kit: &Kit) -> Result<()> {
    const FRAMES: &str = "
        window.frames_seen = [];
        let last = performance.now();
        const next = (now) => { window.frames_seen.push(now - last); last = now; requestAnimationFrame(next); };
        requestAnimationFrame(next);";

    let world = World::bare(kit, "flood", ALICE)?;
    let recording = recording(&world)?;
    let words = ["--mock", recording.to_str().context("text")?];
    let window = world.window(&words)?;
    window.await_text("Isosmith Minimal", SOON)?;
    window.press("Start from Isosmith Minimal")?;
    window.press("Build")?;
    window.await_text("Building", SOON)?;
    window.wait("the log", SOON, || {
        Ok(window.script("return document.querySelector('details.log') !== null")? == true)
    })?;
    window.script("document.querySelector('details.log').open = true")?;
    window.script(FRAMES)?;
    let (seconds, lines) = FLOOD;
    window.await_text("is ready", Duration::from_secs(seconds * 4))?;
    let frames = window.script("return window.frames_seen")?;
    eprintln!(
        "{lines} lines a second for {seconds} s: a frame {}",
        spread(&frames)?
    );
    eprintln!("memory after it: {}", memory(&world)?);
    Ok(())
}

/// A build of one step that says much.
fn recording(world: &World) -> Result<PathBuf> {
    let path = world.folder().join("flood.jsonl");
    let mut file = BufWriter::new(fs::File::create(&path)?);
    let (seconds, lines) = FLOOD;
    let mut seq = 0_u64;
    let mut write = |at: u64, mut event: Value| -> Result<()> {
        event["seq"] = json!(seq);
        event["atMs"] = json!(at);
        seq += 1;
        writeln!(file, "{event}")?;
        Ok(())
    };
    write(
        0,
        json!({ "type": "hello", "epoch": 1, "revision": 1, "version": "0.1.0",
            "build": "20260101-000000-flood-0000", "profile": "flood", "started": 0 }),
    )?;
    write(
        0,
        json!({ "type": "planned", "steps": [{ "id": "base", "title": "Say much",
            "phase": "base_system", "weight": 1, "cached": false }] }),
    )?;
    write(
        0,
        json!({ "type": "step_started", "step": "base", "attempt": 1 }),
    )?;
    for number in 0..seconds * lines {
        write(
            1000 + number * 1000 / lines,
            json!({ "type": "log", "step": "base", "stream": "stdout", "level": "info",
                "line": format!("line {number}: Unpacking something (1.2.3-4) over (1.2.3-3) ...") }),
        )?;
    }
    let end = 1000 + seconds * 1000;
    write(
        end,
        json!({ "type": "step_finished", "step": "base", "outcome": { "is": "done" }, "tookMs": end }),
    )?;
    write(
        end,
        json!({ "type": "finished", "result": { "is": "succeeded", "iso": { "path": "flood.iso",
            "size": 1, "checksums": {} }, "files": [] } }),
    )?;
    file.flush()?;
    Ok(path)
}
