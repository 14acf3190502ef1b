/**
 * Events folded into what a viewer shows: the same fold as crates/protocol/src/view.rs,
 * tested on the same recordings.
 */

import type {
  BuildEvent,
  BuildResult,
  Choice,
  ErrorView,
  Isolation,
  Metrics,
  Outcome,
  SessionChange,
  SessionKind,
  StepInfo,
  Unit,
  WatchedItem,
} from './protocol.ts';

export type StepState =
  { is: 'waiting' } | { is: 'running'; attempt: number } | { is: 'over'; outcome: Outcome };

export interface StepProgress {
  done: number;
  total: number | null;
  unit: Unit;
}

export interface StepView {
  readonly info: StepInfo;
  readonly state: StepState;
  readonly progress: StepProgress | null;
  /** The package or file at hand. */
  readonly note: string | null;
  readonly tookMs: number | null;
}

export interface Question {
  number: number;
  error: ErrorView;
  choices: Choice[];
}

export interface SessionView {
  kind: SessionKind;
  items: WatchedItem[];
  /** Empty is safe. */
  changes: SessionChange[];
}

export interface BuildView {
  build: string | null;
  profile: string;
  /** Seconds since 1970. */
  started: number;
  /** Milliseconds since the beginning, of the last event. */
  atMs: number;
  steps: StepView[];
  warnings: string[];
  retries: ErrorView[];
  isolation: Isolation | null;
  question: Question | null;
  session: SessionView | null;
  metrics: Metrics | null;
  result: BuildResult | null;
  /** Overall progress in thousandths; never goes back. */
  permille: number;
}

export const emptyView = (): BuildView => ({
  build: null,
  profile: '',
  started: 0,
  atMs: 0,
  steps: [],
  warnings: [],
  retries: [],
  isolation: null,
  question: null,
  session: null,
  metrics: null,
  result: null,
  permille: 0,
});

const waiting = (info: StepInfo): StepView => ({
  info,
  state: { is: 'waiting' },
  progress: null,
  note: null,
  tookMs: null,
});

/** Changes one row; events of steps that were not planned are passed over. */
function change(view: BuildView, step: string, to: Partial<StepView>): void {
  const index = view.steps.findIndex((row) => row.info.id === step);
  const row = view.steps[index];
  if (row) view.steps[index] = { ...row, ...to };
}

/** Takes in one event, in place. All after the end is passed over. */
export function apply(view: BuildView, event: BuildEvent): void {
  if (view.result) return;
  view.atMs = Math.max(view.atMs, event.atMs);
  // A build writes thousands of these a second, and they change no row.
  if (event.type === 'log' || event.type === 'unknown') return;
  fold(view, event);
  view.permille = Math.max(view.permille, permilleNow(view));
}

function fold(view: BuildView, event: BuildEvent): void {
  switch (event.type) {
    case 'hello':
      view.isolation = event.isolation;
      view.build = event.build;
      view.profile = event.profile;
      view.started = event.started;
      return;
    case 'planned':
      view.steps = event.steps.map(waiting);
      return;
    case 'step_started':
      change(view, event.step, {
        state: { is: 'running', attempt: event.attempt },
        progress: null,
        note: null,
      });
      return;
    case 'progress': {
      const { done, total, unit, note } = event;
      change(view, event.step, { progress: { done, total, unit }, note });
      return;
    }
    case 'warned':
      view.warnings = [...view.warnings, event.message];
      return;
    case 'step_retried':
      view.retries = [...view.retries, event.error];
      return;
    case 'step_finished':
      change(view, event.step, {
        state: { is: 'over', outcome: event.outcome },
        tookMs: event.tookMs,
        note: null,
      });
      return;
    case 'asked':
      view.question = { number: event.question, error: event.error, choices: event.choices };
      return;
    case 'answered':
      view.question = null;
      return;
    case 'session_watched':
      view.session = { kind: event.session, items: event.items, changes: [] };
      return;
    case 'session_changed':
      if (view.session) {
        const changes = [...view.session.changes, event.change];
        view.session = { ...view.session, changes };
      }
      return;
    case 'metrics':
      view.metrics = event.metrics;
      return;
    case 'finished':
      view.question = null;
      view.result = event.result;
      return;
    case 'log':
    case 'unknown':
      return;
  }
}

/** The step at work, if one is. */
export const running = (view: BuildView): StepView | null =>
  view.steps.find((row) => row.state.is === 'running') ?? null;

/** Estimated milliseconds left, once a tenth of the work is done; null before. */
export function leftMs(view: BuildView): number | null {
  if (view.result || view.permille < 100) return null;
  const left = 1000 - Math.min(view.permille, 1000);
  return Math.floor((view.atMs * left) / view.permille);
}

/** The code of an unsuccessful result. */
export function resultCode(result: BuildResult): string | null {
  switch (result.is) {
    case 'failed':
      return result.error.code;
    case 'cancelled':
    case 'interrupted':
      return result.is;
    case 'succeeded':
    case 'unknown':
      return null;
  }
}

/** How far one step is, in thousandths. */
export function stepPermille(row: StepView): number {
  if (row.state.is === 'over') return 1000;
  if (row.state.is === 'waiting' || !row.progress) return 0;
  const { done, total } = row.progress;
  return total !== null && total > 0 ? Math.floor((Math.min(done, total) * 1000) / total) : 0;
}

// A cached step costs next to nothing, whatever it would weigh otherwise.
const weight = (row: StepView): number => (row.info.cached ? 1 : row.info.weight);

function permilleNow(view: BuildView): number {
  if (view.result?.is === 'succeeded') return 1000;
  const total = view.steps.reduce((sum, row) => sum + weight(row), 0);
  const done = view.steps.reduce(
    (sum, row) => sum + Math.floor((weight(row) * stepPermille(row)) / 1000),
    0,
  );
  return total === 0 ? 0 : Math.min(Math.floor((done * 1000) / total), 999);
}
