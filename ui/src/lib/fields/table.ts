/**
 * Every field of a profile, once: where it is shown and with which control. Labels and
 * help are in the messages (`field.PATH.label`, `field.PATH.help`); a test compares the
 * table with profiles/schema.json.
 */

import { PRODUCT } from './product.ts';
import { SYSTEM } from './system.ts';
import type { Field, SectionId } from './types.ts';

export { type Column, type Control, type Field, type SectionId, SECTIONS } from './types.ts';

export const FIELDS: readonly Field[] = [...SYSTEM, ...PRODUCT];

export const fieldsOf = (section: SectionId): readonly Field[] =>
  FIELDS.filter((field) => field.section === section);

/** Names of a section's disclosures, in order. */
export const disclosuresOf = (section: SectionId): string[] => [
  ...new Set(fieldsOf(section).flatMap((field) => field.behind ?? [])),
];

/** The field that a problem's path belongs to: the longest that contains it. */
export function fieldAt(path: string): Field | undefined {
  const holds = (field: Field) =>
    path === field.path || path.startsWith(`${field.path}.`) || path.startsWith(`${field.path}[`);
  return FIELDS.filter(holds).sort((a, b) => b.path.length - a.path.length)[0];
}

const PREFIXES: Record<string, SectionId> = {
  base: 'base',
  profile: 'base',
  desktop: 'desktop',
  software: 'software',
  region: 'region',
  users: 'users',
  boot: 'boot',
  kernel: 'boot',
  installer: 'installer',
  ai: 'ai',
  security: 'security',
  branding: 'branding',
  files: 'files',
  scripts: 'files',
  services: 'files',
  image: 'image',
};

/** Where a problem is shown; undefined for one of the text as a whole. */
export const sectionAt = (path: string): SectionId | undefined =>
  fieldAt(path)?.section ?? PREFIXES[path.split(/[.[]/)[0] ?? ''];
