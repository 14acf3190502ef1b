import { readFileSync } from 'node:fs';
import { type BuildEvent, readLines } from '../../src/lib/protocol.ts';
import { apply, type BuildView, emptyView } from '../../src/lib/view.ts';

/** A file of the checkout, from its root. */
export const checkout = (path: string): string =>
  readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

export const recording = (name: string): BuildEvent[] =>
  readLines(checkout(`crates/protocol/tests/fixtures/${name}.jsonl`));

export function folded(events: readonly BuildEvent[]): BuildView {
  const view = emptyView();
  events.forEach((event) => apply(view, event));
  return view;
}
