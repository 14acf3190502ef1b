import { describe, expect, it, test } from 'vitest';
import { algorithmOf, cleanSum } from '../../src/lib/checksum.ts';
import { readMessage, readPreview } from '../../src/lib/backend/tauri.ts';
import { dropKind } from '../../src/lib/drops.ts';
import { noEta, settle } from '../../src/lib/eta.ts';
import { about, bytes, plain, span } from '../../src/lib/format.ts';
import { meaning } from '../../src/lib/keys.ts';
import { everything, Log, type LogLine } from '../../src/lib/log.ts';
import { heldUpBy } from '../../src/lib/metrics.ts';
import { type Level, readError } from '../../src/lib/protocol.ts';
import { at, put, same, within } from '../../src/lib/tree.ts';
import { back, changed, forward, noUndo } from '../../src/lib/undo.ts';

describe('time left', () => {
  /** What is shown for each estimate, one a second. */
  const shown = (estimates: readonly (number | null)[]) => {
    let eta = noEta();
    return estimates.map((left, second) => {
      eta = settle(eta, second * 1000, left);
      return eta;
    });
  };

  it('is shown once estimates agree', () => {
    const steady = shown(Array.from({ length: 10 }, (_, second) => 60_000 - second * 1000));
    expect(steady[3]?.shownMs).toBeNull();
    expect(steady[5]?.shownMs).toBeGreaterThan(50_000);
  });

  it('is not shown while they jump', () => {
    const wild = shown([null, 500_000, 20_000, 300_000, 9_000, 400_000, 15_000, 200_000]);
    expect(wild.every((eta) => eta.shownMs === null)).toBe(true);
  });

  it('never grows by a little, and says so when it grows by much', () => {
    const estimates = Array.from({ length: 60 }, (_, second) =>
      second < 20 ? 60_000 - second * 1000 : 48_000 + (second % 5) * 2_000,
    );
    let last = Infinity;
    for (const eta of shown(estimates)) {
      if (eta.shownMs === null) continue;
      expect(eta.shownMs).toBeLessThanOrEqual(last);
      last = eta.shownMs;
    }
    const worse = shown([
      ...Array.from({ length: 10 }, (_, second) => 60_000 - second * 1000),
      ...Array.from({ length: 14 }, () => 240_000),
    ]).at(-1);
    expect(worse?.longer).toBe(true);
    expect(worse?.shownMs).toBeGreaterThan(200_000);
  });
});

describe('the log', () => {
  const line = (number: number, level: Level = 'debug', step = 'packages'): LogLine => ({
    atMs: number,
    step,
    stream: 'stdout',
    level,
    line: `line ${number}`,
  });

  it('keeps the newest lines and counts them all', () => {
    const log = new Log(1000);
    for (let start = 0; start < 50_000; start += 333) {
      log.add(Array.from({ length: 333 }, (_, index) => line(start + index)));
    }
    expect(log.total).toBe(50_283);
    expect(log.length).toBeLessThanOrEqual(1100);
    expect(log.length).toBe(log.total - log.dropped);
    expect(log.slice(log.length - 1, log.length)[0]?.line).toBe('line 50282');
  });

  it('filters by level, step and text, for old and new lines alike', () => {
    const log = new Log(1000);
    log.add([line(1), line(2, 'warn'), line(3, 'error', 'iso')]);
    log.filter({ ...everything, level: 'warn' });
    expect(log.slice(0, 9).map((one) => one.atMs)).toEqual([2, 3]);
    log.add([line(4, 'info'), line(5, 'error')]);
    expect(log.length).toBe(3);
    log.filter({ level: 'debug', step: 'iso', text: 'LINE 3' });
    expect(log.slice(0, 9).map((one) => one.atMs)).toEqual([3]);
    expect([log.warnings, log.errors]).toEqual([1, 2]);
  });

  it('keeps a filter’s matches right while lines go', () => {
    const log = new Log(100);
    log.filter({ ...everything, text: '7' });
    log.add(Array.from({ length: 1000 }, (_, index) => line(index)));
    const shown = log.slice(0, log.length).map((one) => one.line);
    expect(shown.every((text) => text.includes('7'))).toBe(true);
    expect(shown.at(-1)).toBe('line 997');
    expect(shown[0]).toBe('line 907');
  });
});

test('undo goes back and forth, and joins keystrokes', () => {
  let undo = changed(noUndo(), 'a', 'branding.name', 0);
  undo = changed(undo, 'ab', 'branding.name', 100);
  undo = changed(undo, 'abc', 'base.suite', 200);
  expect(undo.past).toHaveLength(2);
  const first = back(undo, 'abcd');
  expect(first?.toml).toBe('abc');
  const second = first && back(first.undo, first.toml);
  expect(second?.toml).toBe('a');
  expect(second && back(second.undo, second.toml)).toBeNull();
  const again = second && forward(second.undo, second.toml);
  expect(again?.toml).toBe('abc');
  expect(again && forward(again.undo, again.toml)?.toml).toBe('abcd');
  expect(changed(second?.undo ?? noUndo(), 'a', 'x', 9_999).future).toEqual([]);
});

test('values by path', () => {
  const tree = { a: { b: [1, 2] }, c: 'x' };
  expect(at(tree, 'a.b')).toEqual([1, 2]);
  expect(at(tree, 'a.b.c')).toBeUndefined();
  expect(put(tree, 'a.d', true)).toEqual({ a: { b: [1, 2], d: true }, c: 'x' });
  expect(put(tree, 'c', undefined)).toEqual({ a: { b: [1, 2] } });
  expect(same({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toBe(true);
  expect(same({ a: 1 }, { a: 1, b: 2 })).toBe(false);
  expect(within('files', 'files[2].target')).toBe(true);
  expect(within('base.key', 'base.keys')).toBe(false);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [9_949, '10 kB'],
  [634_000_000, '634 MB'],
  [6_140_000_000, '6.1 GB'],
  [74_200_000_000, '74 GB'],
  [999_600_000, '1.0 GB'],
])('%d bytes are %s', (size, want) => {
  expect(bytes(size, 'en')).toBe(want);
});

test('a comma where the language has one', () => {
  expect(bytes(6_140_000_000, 'de')).toBe('6,1 GB');
});

test.each([
  [58, '58 ms'],
  [8_960, '9 s'],
  [70_000, '1 min 10 s'],
  [120_000, '2 min'],
  [7_500_000, '2 h 5 min'],
])('%d ms are %s', (ms, want) => {
  expect(span(ms)).toBe(want);
});

test.each([
  [4_000, 'time.seconds 10'],
  [31_000, 'time.seconds 40'],
  [62_000, 'time.minutes 1'],
  [130_000, 'time.minutes 3'],
  [7_200_000, 'time.hours 2'],
])('%d ms are about %s', (ms, want) => {
  expect(about(ms, (key, n) => `${key} ${n}`)).toBe(want);
});

test('what could disguise a text is made visible', () => {
  expect(plain('a\u202eb\u0007c\td\u2067')).toBe('a\ufffdb\ufffdc\td\ufffd');
});

test.each([
  [{ key: 's', ctrlKey: true }, 'save'],
  [{ key: 'Z', ctrlKey: true, shiftKey: true }, 'redo'],
  [{ key: 'z', metaKey: true }, 'undo'],
  [{ key: 'y', ctrlKey: true }, 'redo'],
  [{ key: 'Enter', ctrlKey: true }, 'build'],
  [{ key: 'F1' }, 'explain'],
  [{ key: 's' }, null],
  [{ key: 'z', ctrlKey: true, altKey: true }, null],
])('the keys %j mean %s', (press, want) => {
  const none = { ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };
  expect(meaning({ ...none, ...press })).toBe(want);
});

test.each([
  ['a.toml', false, ['open']],
  ['/x/b.ISO', true, ['open']],
  ['logo.svg', true, ['logo', 'wallpaper', 'overlay']],
  ['logo.svg', false, []],
  ['t_1_amd64.deb', true, ['deb', 'overlay']],
  ['tidy.sh', true, ['script', 'overlay']],
])('a dropped %s (spec open: %s) may be %j', (path, editing, want) => {
  expect(dropKind(path, editing)).toEqual(want);
});

test.each([
  ['d41d8cd98f00b204e9800998ecf8427e', 'md5'],
  [`${'AB'.repeat(32)}  file.iso`, 'sha256'],
  ['ab'.repeat(64), 'sha512'],
  ['xyz', null],
])('%s is a checksum of %s', (pasted, want) => {
  expect(algorithmOf(cleanSum(pasted))).toBe(want);
});

test('errors of any shape are errors', () => {
  expect(readError({ code: 'disk_full', message: 'm', recovery: 'fix_and_resume' })).toMatchObject({
    code: 'disk_full',
    recovery: 'fix_and_resume',
    tail: [],
  });
  expect(readError(new Error('boom'))).toMatchObject({ code: 'internal', message: 'boom' });
  expect(readError('odd')).toMatchObject({ code: 'internal', message: 'odd' });
});

test('a channel brings batches, single events and an end', () => {
  const event = { seq: 1, atMs: 2, type: 'warned', step: 'a', message: 'b' };
  expect(readMessage([event, event])).toMatchObject({ events: [{ seq: 1 }, { seq: 1 }] });
  expect(readMessage(event)).toMatchObject({ events: [{ seq: 1 }] });
  expect(readMessage([])).toEqual({ events: [] });
  expect(readMessage(null)).toEqual({ end: true });
});

test('a picture comes behind its warnings', () => {
  const warnings = [{ severity: 'warning', field: 'branding.name', message: 'zu breit: Ä' }];
  const json = new TextEncoder().encode(JSON.stringify(warnings));
  const bytes = new Uint8Array([json.length, 0, 0, 0, ...json, 137, 80, 78, 71]);
  const preview = readPreview(bytes.buffer);
  expect(preview.warnings).toEqual(warnings);
  expect(new Uint8Array(preview.png as ArrayBuffer)).toEqual(new Uint8Array([137, 80, 78, 71]));
});

test('what holds a build up is judged by several seconds', () => {
  const idle = {
    cpuPermille: 200,
    memoryUsed: 1,
    memoryTotal: 10,
    diskRead: 0,
    diskWritten: 0,
    received: 0,
    sent: 0,
    diskFree: 1,
  };
  const busy = { ...idle, cpuPermille: 960 };
  expect(heldUpBy([busy, busy, busy])).toBeNull();
  expect(heldUpBy([busy, busy, busy, busy])).toBe('cpu');
  expect(heldUpBy([idle, idle, idle, { ...idle, received: 30e6 }])).toBe('network');
  expect(heldUpBy([idle, idle, idle, idle])).toBeNull();
});
