/**
 * The time left as a person sees it: it appears once estimates agree, it only shrinks, and
 * when it must grow after all it says so.
 */

export interface Eta {
  /** What is shown; null while nothing has settled. */
  shownMs: number | null;
  /** Whether it had to grow, and is now counted anew. */
  longer: boolean;
  /** Recent estimates of the moment of the end. */
  readonly ends: readonly { atMs: number; endMs: number }[];
}

/** Estimates older than this do not count, in milliseconds. */
const WINDOW_MS = 12_000;
/** They must span this much time before they are believed. */
const SPAN_MS = 4_000;
/** And lie this close together, as a share of what is left. */
const SPREAD = 0.35;
/** Below this growth, the shown time waits instead of growing. */
const GROWTH = 1.5;
const GROWTH_MS = 20_000;

export const noEta = (): Eta => ({ shownMs: null, longer: false, ends: [] });

const middle = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Takes in an estimate made at `atMs` that `leftMs` are left; null when there is none. */
export function settle(eta: Eta, atMs: number, leftMs: number | null): Eta {
  if (leftMs === null) return { ...eta, ends: [] };
  const recent = eta.ends.filter((one) => one.atMs > atMs - WINDOW_MS && one.atMs < atMs);
  const ends = [...recent, { atMs, endMs: atMs + leftMs }];
  const values = ends.map((one) => one.endMs);
  const estimate = Math.max(0, middle(values) - atMs);

  if (eta.shownMs === null) {
    const span = atMs - (ends[0]?.atMs ?? atMs);
    const spread = Math.max(...values) - Math.min(...values);
    const agreed = span >= SPAN_MS && spread <= estimate * SPREAD + 2_000;
    return { shownMs: agreed ? estimate : null, longer: false, ends };
  }
  if (estimate <= eta.shownMs) return { ...eta, shownMs: estimate, ends };
  const muchLonger = estimate > eta.shownMs * GROWTH + GROWTH_MS;
  return muchLonger ? { shownMs: estimate, longer: true, ends } : { ...eta, ends };
}
