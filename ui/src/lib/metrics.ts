import type { Metrics } from './protocol.ts';

export type Brake = 'cpu' | 'memory' | 'disk' | 'network';

/** Samples that a judgement rests on. */
const RECENT = 4;

/** What holds a build up, judged by the last seconds; null where nothing stands out. */
export function heldUpBy(samples: readonly Metrics[]): Brake | null {
  const recent = samples.slice(-RECENT);
  if (recent.length < RECENT) return null;
  const mean = (of: (one: Metrics) => number) =>
    recent.reduce((sum, one) => sum + of(one), 0) / recent.length;
  if (mean((one) => one.memoryUsed / Math.max(1, one.memoryTotal)) > 0.92) return 'memory';
  if (mean((one) => one.cpuPermille) > 850) return 'cpu';
  if (mean((one) => one.received) > 3e6) return 'network';
  if (mean((one) => one.diskRead + one.diskWritten) > 25e6) return 'disk';
  return null;
}
