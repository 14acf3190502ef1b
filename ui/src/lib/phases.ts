import { type Phase, PHASES } from './protocol.ts';
import type { BuildView, StepView } from './view.ts';

export type PhaseState = 'waiting' | 'running' | 'done' | 'failed';

export interface PhaseView {
  phase: Phase;
  state: PhaseState;
}

function stateOf(rows: StepView[]): PhaseState {
  const failed = (row: StepView) =>
    row.state.is === 'over' && ['failed', 'unknown'].includes(row.state.outcome.is);
  if (rows.some(failed)) return 'failed';
  if (rows.every((row) => row.state.is === 'over')) return 'done';
  return rows.every((row) => row.state.is === 'waiting') ? 'waiting' : 'running';
}

/** The phases that the plan has steps in, in order. */
export const phasesOf = (view: BuildView): PhaseView[] =>
  PHASES.map((phase) => ({ phase, rows: view.steps.filter((row) => row.info.phase === phase) }))
    .filter(({ rows }) => rows.length > 0)
    .map(({ phase, rows }) => ({ phase, state: stateOf(rows) }));
