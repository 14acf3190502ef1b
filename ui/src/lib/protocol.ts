/**
 * What a build says, as crates/protocol/src/{event,error,session}.rs write it.
 *
 * Every value comes from another process, perhaps a newer one: whatever this version does
 * not know becomes `other` or `unknown`, just as serde's `other` does in Rust.
 */

export const PHASES = [
  'environment',
  'base_system',
  'desktop',
  'integration',
  'installer',
  'iso',
  'other',
] as const;
export type Phase = (typeof PHASES)[number];

const CHOICES = ['retry', 'stop', 'other'] as const;
export type Choice = (typeof CHOICES)[number];

const UNITS = ['bytes', 'packages', 'files', 'percent', 'other'] as const;
export type Unit = (typeof UNITS)[number];

export const ERROR_MODES = ['graceful', 'permissive', 'strict'] as const;
export type ErrorMode = (typeof ERROR_MODES)[number];

export const PACES = ['auto', 'conservative', 'aggressive'] as const;
export type Pace = (typeof PACES)[number];

const STREAMS = ['stdout', 'stderr', 'engine', 'other'] as const;
export type Stream = (typeof STREAMS)[number];

export const LEVELS = ['debug', 'info', 'warn', 'error', 'other'] as const;
export type Level = (typeof LEVELS)[number];

const ISOLATIONS = ['namespace', 'hybrid', 'traditional', 'other'] as const;
export type Isolation = (typeof ISOLATIONS)[number];

const SESSIONS = ['graphical', 'ssh', 'console', 'none', 'other'] as const;
export type SessionKind = (typeof SESSIONS)[number];

const WATCHED = [
  'session',
  'display_manager',
  'network',
  'message_bus',
  'login_manager',
  'user_manager',
  'mounts',
  'other',
] as const;
export type Watched = (typeof WATCHED)[number];

const RECOVERIES = ['retry', 'resume', 'fix_and_resume', 'edit_spec', 'report'] as const;
export type Recovery = (typeof RECOVERIES)[number];

/** A failure as it crosses a process border. `message` and `advice` are details, never words. */
export interface ErrorView {
  class: string;
  code: string;
  step: string | null;
  message: string;
  advice: string;
  causes: string[];
  command: string | null;
  tail: string[];
  recovery: Recovery;
}

export interface StepInfo {
  id: string;
  title: string;
  phase: Phase;
  /** Its expected share of the whole, relative to the other steps'. */
  weight: number;
  cached: boolean;
}

export interface WatchedItem {
  what: Watched;
  name: string;
  pid: number | null;
}

export interface SessionChange {
  item: WatchedItem;
  cause: string;
  atMs: number;
}

export interface Metrics {
  cpuPermille: number;
  memoryUsed: number;
  memoryTotal: number;
  diskRead: number;
  diskWritten: number;
  received: number;
  sent: number;
  diskFree: number;
}

export type Outcome =
  | { is: 'done' }
  | { is: 'cached' }
  | { is: 'skipped'; why: string }
  | { is: 'failed'; error: ErrorView }
  | { is: 'unknown' };

export interface Output {
  path: string;
  size: number;
  checksums: Record<string, string>;
  /** What its owner enrols, where an owner's key has signed it. */
  enrolment?: Enrolment;
}

export interface Enrolment {
  name: string;
  /** Of the certificate in DER, lower-case hexadecimal; MokManager shows the first. */
  sha1: string;
  sha256: string;
  /** On the medium and on its EFI partition. */
  path: string;
}

export type BuildResult =
  | { is: 'succeeded'; iso: Output; files: string[] }
  | { is: 'failed'; error: ErrorView }
  | { is: 'cancelled' }
  | { is: 'interrupted' }
  | { is: 'unknown' };

export type EventKind =
  | {
      type: 'hello';
      version: string;
      build: string;
      profile: string;
      started: number;
      isolation: Isolation;
    }
  | { type: 'planned'; steps: StepInfo[] }
  | { type: 'step_started'; step: string; attempt: number }
  | {
      type: 'progress';
      step: string;
      done: number;
      total: number | null;
      unit: Unit;
      note: string | null;
    }
  | { type: 'log'; step: string; stream: Stream; level: Level; line: string }
  | { type: 'warned'; step: string; message: string }
  | { type: 'step_retried'; step: string; attempt: number; waitMs: number; error: ErrorView }
  | { type: 'asked'; question: number; error: ErrorView; choices: Choice[] }
  | { type: 'answered'; question: number; choice: Choice }
  | { type: 'session_watched'; session: SessionKind; items: WatchedItem[] }
  | { type: 'session_changed'; change: SessionChange }
  | { type: 'metrics'; metrics: Metrics }
  | { type: 'step_finished'; step: string; outcome: Outcome; tookMs: number }
  | { type: 'finished'; result: BuildResult }
  | { type: 'unknown' };

export type BuildEvent = { seq: number; atMs: number } & EventKind;

type Raw = Record<string, unknown>;

const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null;
const raw = (value: unknown): Raw => (isRaw(value) ? value : {});
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const count = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : 0;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): string[] => list(value).map(text);

function known<T extends string>(all: readonly T[], value: unknown, otherwise: T): T {
  return all.find((one) => one === value) ?? otherwise;
}

/** An error of a build or of a command; anything else thrown becomes an `internal` one. */
export function readError(value: unknown): ErrorView {
  const from = raw(value);
  const isView = typeof from['code'] === 'string';
  return {
    class: isView ? text(from['class']) : 'internal',
    code: isView ? text(from['code']) : 'internal',
    step: textOrNull(from['step']),
    message: isView
      ? text(from['message'])
      : value instanceof Error
        ? value.message
        : String(value),
    advice: text(from['advice']),
    causes: texts(from['causes']),
    command: textOrNull(from['command']),
    tail: texts(from['tail']),
    recovery: known(RECOVERIES, from['recovery'], 'report'),
  };
}

function readStep(value: unknown): StepInfo {
  const from = raw(value);
  return {
    id: text(from['id']),
    title: text(from['title']),
    phase: known(PHASES, from['phase'], 'other'),
    weight: count(from['weight']),
    cached: from['cached'] === true,
  };
}

function readItem(value: unknown): WatchedItem {
  const from = raw(value);
  return {
    what: known(WATCHED, from['what'], 'other'),
    name: text(from['name']),
    pid: typeof from['pid'] === 'number' ? from['pid'] : null,
  };
}

export function readChange(value: unknown): SessionChange {
  const from = raw(value);
  return { item: readItem(from['item']), cause: text(from['cause']), atMs: count(from['atMs']) };
}

function readOutcome(value: unknown): Outcome {
  const from = raw(value);
  switch (from['is']) {
    case 'done':
      return { is: 'done' };
    case 'cached':
      return { is: 'cached' };
    case 'skipped':
      return { is: 'skipped', why: text(from['why']) };
    case 'failed':
      return { is: 'failed', error: readError(from['error']) };
    default:
      return { is: 'unknown' };
  }
}

export function readResult(value: unknown): BuildResult {
  const from = raw(value);
  switch (from['is']) {
    case 'succeeded': {
      const iso = raw(from['iso']);
      const sums = Object.entries(raw(iso['checksums'])).map(([name, sum]) => [name, text(sum)]);
      return {
        is: 'succeeded',
        iso: {
          path: text(iso['path']),
          size: count(iso['size']),
          checksums: Object.fromEntries(sums) as Record<string, string>,
        },
        files: texts(from['files']),
      };
    }
    case 'failed':
      return { is: 'failed', error: readError(from['error']) };
    case 'cancelled':
      return { is: 'cancelled' };
    case 'interrupted':
      return { is: 'interrupted' };
    default:
      return { is: 'unknown' };
  }
}

function readMetrics(value: unknown): Metrics {
  const from = raw(value);
  return {
    cpuPermille: count(from['cpuPermille']),
    memoryUsed: count(from['memoryUsed']),
    memoryTotal: count(from['memoryTotal']),
    diskRead: count(from['diskRead']),
    diskWritten: count(from['diskWritten']),
    received: count(from['received']),
    sent: count(from['sent']),
    diskFree: count(from['diskFree']),
  };
}

function readKind(from: Raw): EventKind {
  const step = text(from['step']);
  switch (from['type']) {
    case 'hello':
      return {
        type: 'hello',
        version: text(from['version']),
        build: text(from['build']),
        profile: text(from['profile']),
        started: count(from['started']),
        isolation: known(ISOLATIONS, from['isolation'] ?? 'namespace', 'other'),
      };
    case 'planned':
      return { type: 'planned', steps: list(from['steps']).map(readStep) };
    case 'step_started':
      return { type: 'step_started', step, attempt: count(from['attempt']) };
    case 'progress':
      return {
        type: 'progress',
        step,
        done: count(from['done']),
        total: typeof from['total'] === 'number' ? from['total'] : null,
        unit: known(UNITS, from['unit'], 'other'),
        note: textOrNull(from['note']),
      };
    case 'log':
      return {
        type: 'log',
        step,
        stream: known(STREAMS, from['stream'], 'other'),
        level: known(LEVELS, from['level'], 'other'),
        line: text(from['line']),
      };
    case 'warned':
      return { type: 'warned', step, message: text(from['message']) };
    case 'step_retried':
      return {
        type: 'step_retried',
        step,
        attempt: count(from['attempt']),
        waitMs: count(from['waitMs']),
        error: readError(from['error']),
      };
    case 'asked':
      return {
        type: 'asked',
        question: count(from['question']),
        error: readError(from['error']),
        choices: list(from['choices']).map((choice) => known(CHOICES, choice, 'other')),
      };
    case 'answered':
      return {
        type: 'answered',
        question: count(from['question']),
        choice: known(CHOICES, from['choice'], 'other'),
      };
    case 'session_watched':
      return {
        type: 'session_watched',
        session: known(SESSIONS, from['session'], 'other'),
        items: list(from['items']).map(readItem),
      };
    case 'session_changed':
      return { type: 'session_changed', change: readChange(from['change']) };
    case 'metrics':
      return { type: 'metrics', metrics: readMetrics(from['metrics']) };
    case 'step_finished':
      return {
        type: 'step_finished',
        step,
        outcome: readOutcome(from['outcome']),
        tookMs: count(from['tookMs']),
      };
    case 'finished':
      return { type: 'finished', result: readResult(from['result']) };
    default:
      return { type: 'unknown' };
  }
}

/** One event; null for what is none. */
export function readEvent(value: unknown): BuildEvent | null {
  if (!isRaw(value) || typeof value['type'] !== 'string') return null;
  return { seq: count(value['seq']), atMs: count(value['atMs']), ...readKind(value) };
}

/** A recorded stream, one event in a line. */
export function readLines(lines: string): BuildEvent[] {
  return lines
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => readEvent(JSON.parse(line)))
    .filter((event) => event !== null);
}

/** Whether it may be thinned out under load. */
export const isLossy = (event: BuildEvent): boolean =>
  event.type === 'progress' || event.type === 'metrics';
