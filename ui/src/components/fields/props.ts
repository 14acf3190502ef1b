import type { Problem } from '../../lib/backend.ts';
import type { Control } from '../../lib/fields/table.ts';
import type { Json } from '../../lib/tree.ts';

/** What every control of a field is given. */
export interface ControlProps<C extends Control = Control> {
  id: string;
  /** Id of the visible label. */
  labelledBy: string;
  label: string;
  /** Ids of help and problem. */
  describedBy: string;
  invalid: boolean;
  /** Of the field and all that is in it. */
  problems: readonly Problem[];
  /** Path of the field, for the words of its options. */
  path: string;
  control: C;
  value: Json | undefined;
  base: Json | undefined;
  change: (value: Json | null) => void;
}

export type Of<K extends Control['is']> = ControlProps<Extract<Control, { is: K }>>;

/** Whether a problem is of one column of a list's row, where it is shown. */
export const inRow = (problem: Problem): boolean => /\[\d+\]\.\w+/.test(problem.path);

/** A field's id in the page. */
export const idOf = (path: string): string => `f-${path.replace(/[^a-z0-9]+/gi, '-')}`;

/** Controls of several parts are groups; a label's `for` cannot name them. */
export const isGroup = (control: Control): boolean =>
  !['text', 'area', 'file', 'colour'].includes(control.is);
