/** Whether a field or a section is untouched, fine, changed, or has a problem. */

import type { Draft } from '../backend.ts';
import { at, same, within } from '../tree.ts';
import { type Field, fieldsOf, FIELDS, sectionAt, type SectionId } from './table.ts';

export type Mark = 'untouched' | 'fine' | 'changed' | 'problem';

/** Fields that only switch a table on and off, whose keys are fields themselves. */
const SWITCHES: ReadonlySet<string> = new Set(
  FIELDS.filter((field) => ['account', 'optional'].includes(field.control.is)).map(
    (field) => field.path,
  ),
);

export const isChanged = (draft: Draft, path: string): boolean => {
  const [now, before] = [at(draft.values, path), at(draft.base, path)];
  // The switch above a table's own fields: which of the two, not what is in it.
  if (SWITCHES.has(path)) return (now === false) !== (before === false);
  const isOwn = draft.own.some((own) => within(path, own) || within(own, path));
  return isOwn && !same(now, before);
};

const isOwn = (field: Field, path: string) =>
  SWITCHES.has(field.path) ? path === field.path : within(field.path, path);

export const problemsOf = (draft: Draft, field: Field) =>
  draft.problems.filter((problem) => isOwn(field, problem.path));

export function sectionMark(draft: Draft, section: SectionId, visited: boolean): Mark {
  if (draft.problems.some((problem) => sectionAt(problem.path) === section)) return 'problem';
  if (fieldsOf(section).some((field) => isChanged(draft, field.path))) return 'changed';
  return visited ? 'fine' : 'untouched';
}
