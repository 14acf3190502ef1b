/** What can be taken back: whole texts of the spec, so that every kind of change is covered. */

export interface Undo {
  readonly past: readonly Step[];
  readonly future: readonly Step[];
}

interface Step {
  /** The spec's text before (in `past`) or after (in `future`) the change. */
  toml: string;
  /** The field that was changed, or '' for the text as a whole. */
  path: string;
  /** When, in milliseconds of any clock. */
  at: number;
}

/** Keystrokes in one field that follow each other this closely are one step. */
const TOGETHER_MS = 900;
const MAX_STEPS = 500;

export const noUndo = (): Undo => ({ past: [], future: [] });

/** Remembers how the spec was before a change of `path`. */
export function changed(undo: Undo, before: string, path: string, at: number): Undo {
  const last = undo.past.at(-1);
  const joins =
    last !== undefined && last.path === path && path !== '' && at - last.at < TOGETHER_MS;
  const past = joins
    ? [...undo.past.slice(0, -1), { ...last, at }]
    : [...undo.past, { toml: before, path, at }].slice(-MAX_STEPS);
  return { past, future: [] };
}

export interface Move {
  undo: Undo;
  toml: string;
  path: string;
}

/** One step back from `now`; null at the beginning. */
export function back(undo: Undo, now: string): Move | null {
  const last = undo.past.at(-1);
  if (!last) return null;
  const future = [{ toml: now, path: last.path, at: 0 }, ...undo.future];
  return {
    undo: { past: undo.past.slice(0, -1), future },
    toml: last.toml,
    path: last.path,
  };
}

/** One step forward again; null at the end. */
export function forward(undo: Undo, now: string): Move | null {
  const next = undo.future[0];
  if (!next) return null;
  const past = [...undo.past, { toml: now, path: next.path, at: 0 }];
  return { undo: { past, future: undo.future.slice(1) }, toml: next.toml, path: next.path };
}
