/** What a field of the form is, and the sections that fields are shown in. */

import type { PickKind } from '../backend.ts';
import type { Json, Tree } from '../tree.ts';

export const SECTIONS = [
  'base',
  'desktop',
  'software',
  'region',
  'users',
  'boot',
  'installer',
  'ai',
  'security',
  'branding',
  'files',
  'image',
] as const;
export type SectionId = (typeof SECTIONS)[number];

/** A column of a list of tables. */
export interface Column {
  name: string;
  control: Control;
  required?: boolean;
  /** Where a new row starts. */
  start?: Json;
}

export type Control =
  | { is: 'text'; mono?: boolean; list?: readonly string[]; max?: number }
  | { is: 'area' }
  | { is: 'switch' }
  /** One of a few, all in view. */
  | { is: 'choice'; options: readonly string[] }
  /** Any of a few. */
  | { is: 'checks'; options: readonly string[] }
  /** Some of a few, in an order that matters. */
  | { is: 'ordered'; options: readonly string[]; min: number }
  | { is: 'colour'; swatches: readonly string[] }
  | { is: 'file'; pick: PickKind; picture?: boolean }
  /** A list of words. */
  | { is: 'words'; list?: readonly string[]; ordered?: boolean; lines?: boolean }
  | { is: 'files'; pick: PickKind }
  | { is: 'packages' }
  | { is: 'rows'; columns: readonly Column[]; title: string }
  | { is: 'account' }
  /** A table that can be left out; switched on, it starts so. */
  | { is: 'optional'; start: Tree }
  | { is: 'password' }
  | { is: 'security' }
  | { is: 'timeout' }
  | { is: 'serial' }
  | { is: 'compression' };

export interface Field {
  path: string;
  section: SectionId;
  control: Control;
  /** Behind the disclosure of this name; essential without one. */
  behind?: string;
  /** Shown only while this holds. */
  when?: (values: Tree) => boolean;
}
