// The same tests as crates/protocol/tests/fixtures.rs, on the same recordings.
import { describe, expect, it, test } from 'vitest';
import { isLossy } from '../../src/lib/protocol.ts';
import {
  apply,
  type BuildView,
  emptyView,
  leftMs,
  resultCode,
  running,
} from '../../src/lib/view.ts';
import { folded, recording } from './read.ts';

/** Each row in one word: `fetch:done`, `packages:running 2`, `iso:waiting`. */
const rows = (view: BuildView): string =>
  view.steps
    .map(({ info, state }) => {
      const word =
        state.is === 'over'
          ? state.outcome.is
          : state.is === 'running'
            ? `running ${state.attempt}`
            : state.is;
      return `${info.id}:${word}`;
    })
    .join(', ');

const ENDED = ['good', 'failed', 'cancelled', 'interrupted'];

describe('builds fold into what is shown', () => {
  it.each([
    [
      'good',
      'preflight:done, fetch:done, packages:done, branding:skipped, squashfs:done, iso:done',
      null,
      1000,
    ],
    [
      'failed',
      'preflight:cached, fetch:done, packages:failed, branding:waiting, squashfs:waiting, iso:waiting',
      'package_conflict',
      616,
    ],
    [
      'cancelled',
      'preflight:done, fetch:cached, packages:cached, branding:done, squashfs:failed, iso:waiting',
      'cancelled',
      880,
    ],
    [
      'interrupted',
      'preflight:done, fetch:done, packages:running 1, branding:waiting, squashfs:waiting, iso:waiting',
      'interrupted',
      220,
    ],
  ])('%s', (name, wantRows, wantCode, wantPermille) => {
    const view = folded(recording(name));
    expect(rows(view)).toBe(wantRows);
    expect(view.result && resultCode(view.result)).toBe(wantCode);
    expect(view.permille).toBe(wantPermille);
    expect(leftMs(view)).toBeNull();
    expect(view.build).not.toBeNull();
    expect(view.started).toBeGreaterThan(1_700_000_000);
  });
});

test('details of a good build are kept', () => {
  const view = folded(recording('good'));
  expect(view.warnings).toHaveLength(1);
  expect(view.retries.map((error) => error.code)).toEqual(['mirror_unreachable']);
  expect(view.steps[1]?.tookMs).toBe(8960);
  expect(view.steps[2]?.progress).toEqual({ done: 150, total: 150, unit: 'packages' });
  expect(view.atMs).toBe(39_001);
  expect(view.isolation).toBe('namespace');
  if (view.result?.is !== 'succeeded') throw new Error('it has succeeded');
  expect(view.result.iso.size).toBe(316_669_952);
  expect(Object.keys(view.result.iso.checksums)).toHaveLength(2);
  expect(view.result.files).toHaveLength(2);
});

test.each(ENDED)('overall progress never goes back and time left comes late: %s', (name) => {
  const view = emptyView();
  let before = 0;
  for (const event of recording(name)) {
    apply(view, event);
    expect(view.permille).toBeGreaterThanOrEqual(before);
    before = view.permille;
    if (leftMs(view) !== null) expect(before).toBeGreaterThanOrEqual(100);
    expect(before >= 1000).toBe(view.result?.is === 'succeeded');
  }
});

test('a retried step starts from nothing again', () => {
  const events = recording('good');
  const at = events.findIndex((event) => event.type === 'step_started' && event.attempt === 2);
  const row = running(folded(events.slice(0, at + 1)));
  expect(row).toMatchObject({
    info: { id: 'fetch' },
    state: { is: 'running', attempt: 2 },
    progress: null,
    note: null,
  });
});

test('losing lossy events costs nothing in the end', () => {
  const events = recording('good');
  const [whole, thin] = [folded(events), folded(events.filter((event) => !isLossy(event)))];
  expect(rows(thin)).toBe(rows(whole));
  expect([thin.result, thin.atMs]).toEqual([whole.result, whole.atMs]);
});

test('nothing counts after the end', () => {
  const ended = folded(recording('cancelled'));
  expect(folded([...recording('cancelled'), ...recording('good')])).toEqual(ended);
});

test('steps that were not planned are passed over', () => {
  const view = folded(recording('good').filter((event) => event.type !== 'planned'));
  expect(view.steps).toEqual([]);
  expect(view.result?.is).toBe('succeeded');
});

test('a newer writer is not an error', () => {
  const events = recording('newer');
  expect(events[2]?.type).toBe('unknown');
  expect(events[4]).toMatchObject({ type: 'progress', unit: 'other' });
  expect(events[5]).toMatchObject({ stream: 'other', level: 'other' });
  expect(events[6]).toMatchObject({ error: { code: 'too_windy', recovery: 'report' } });
  expect(events[7]).toMatchObject({ outcome: { is: 'unknown' } });
  expect(events[8]).toMatchObject({ result: { is: 'unknown' } });
  const view = folded(events);
  expect(view.steps[0]?.info.phase).toBe('other');
  expect(rows(view)).toBe('preflight:unknown');
});

test('questions, the session and the machine', () => {
  const error = recording('good').find((event) => event.type === 'step_retried')?.error;
  if (!error) throw new Error('there is a retry');
  const view = emptyView();
  const item = { what: 'network', name: 'NetworkManager', pid: 7 } as const;
  apply(view, { seq: 0, atMs: 0, type: 'session_watched', session: 'graphical', items: [item] });
  apply(view, { seq: 1, atMs: 5, type: 'asked', question: 1, error, choices: ['retry', 'stop'] });
  expect(view.question?.number).toBe(1);
  const change = { item, cause: 'it restarted', atMs: 6 };
  apply(view, { seq: 2, atMs: 6, type: 'session_changed', change });
  expect(view.session?.changes).toEqual([change]);
  apply(view, { seq: 3, atMs: 7, type: 'answered', question: 1, choice: 'retry' });
  expect(view.question).toBeNull();
});
