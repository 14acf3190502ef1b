// Tables that must be complete: fields against the schema, errors against the protocol,
// messages against each other and against all that asks for them.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { ERRORS, errorRow } from '../../src/lib/errors.ts';
import {
  type Control,
  disclosuresOf,
  fieldAt,
  FIELDS,
  SECTIONS,
  sectionAt,
} from '../../src/lib/fields/table.ts';
import { PHASES, type StepInfo } from '../../src/lib/protocol.ts';
import de from '../../src/messages/de.json';
import en from '../../src/messages/en.json';
import { checkout } from './read.ts';

const words = en as Record<string, string>;

interface Schema {
  properties?: Record<string, Schema>;
  anyOf?: Schema[];
  items?: Schema;
  enum?: string[];
}

const schema = JSON.parse(checkout('profiles/schema.json')) as Schema;

/** Every field of the schema by path; tables that may be `false` count themselves, too. */
function leaves(node: Schema, path: string): string[] {
  const table = node.properties ?? node.anyOf?.find((one) => one.properties)?.properties;
  if (!table || path === 'boot.serial') return [path];
  const below = Object.entries(table).flatMap(([name, child]) =>
    leaves(child, path === '' ? name : `${path}.${name}`),
  );
  return node.anyOf ? [path, ...below] : below;
}

function at(path: string): Schema | undefined {
  return path.split('.').reduce<Schema | undefined>((node, name) => {
    const table = node?.properties ?? node?.anyOf?.find((one) => one.properties)?.properties;
    return table?.[name];
  }, schema);
}

// What a form cannot change: the file's own version, and the profile it stands on.
const NOT_SHOWN = ['format', 'extends'];

test('every field of the schema is in the table once, and nothing else', () => {
  const want = leaves(schema, '').filter((path) => !NOT_SHOWN.includes(path));
  expect(FIELDS.map((field) => field.path).sort()).toEqual(want.sort());
});

describe('every field has words and the schema’s choices', () => {
  it.each(FIELDS.map((field) => [field.path, field] as const))('%s', (path, field) => {
    expect(words[`field.${path}.label`]).toBeTruthy();
    expect(words[`field.${path}.help`]).toBeTruthy();
    check(field.control, path, at(path));
  });
});

function check(control: Control, path: string, node: Schema | undefined): void {
  const choices = node?.enum ?? node?.items?.enum;
  switch (control.is) {
    case 'choice':
    case 'checks':
    case 'ordered':
      if (choices) expect([...control.options].sort()).toEqual([...choices].sort());
      for (const option of control.options) {
        expect(words[`option.${path}.${option}`], option).toBeTruthy();
      }
      return;
    case 'rows': {
      const table = node?.items?.properties ?? {};
      expect(control.columns.map((column) => column.name).sort()).toEqual(
        Object.keys(table).sort(),
      );
      for (const column of control.columns) {
        expect(words[`field.${path}.${column.name}.label`]).toBeTruthy();
        check(column.control, `${path}.${column.name}`, table[column.name]);
      }
      return;
    }
    default:
  }
}

test('sections and their disclosures have names, and few essentials', () => {
  for (const section of SECTIONS) {
    expect(words[`section.${section}`]).toBeTruthy();
    for (const name of disclosuresOf(section)) {
      expect(words[`behind.${section}.${name}`], `${section}.${name}`).toBeTruthy();
    }
    const essential = FIELDS.filter((one) => one.section === section && !one.behind);
    expect(essential.length).toBeGreaterThan(0);
    expect(essential.length).toBeLessThanOrEqual(10);
  }
});

test.each([
  ['software.packages[3]', 'software.packages', 'software'],
  ['users.live.name', 'users.live.name', 'users'],
  ['base.repositories[0].uri', 'base.repositories', 'base'],
  ['scripts[1].point', 'scripts', 'files'],
  ['base.siute', undefined, 'base'],
  ['', undefined, undefined],
])('a problem at %j is shown at %s in %s', (path, field, section) => {
  expect(fieldAt(path)?.path).toBe(field);
  expect(sectionAt(path)).toBe(section);
});

test('every code of the protocol has a row, words and a first action', () => {
  const source = checkout('crates/protocol/src/error.rs');
  const block = /codes! \{\n([\s\S]*?)\n\}/.exec(source)?.[1] ?? '';
  const names = [...block.matchAll(/^\s+(\w+) => \w+, \w+;/gm)].map((found) => found[1] ?? '');
  const codes = names.map((name) => name.replace(/(?!^)([A-Z])/g, '_$1').toLowerCase());
  expect(codes.length).toBeGreaterThan(30);
  expect(Object.keys(ERRORS).sort()).toEqual([...codes, 'other'].sort());
  for (const code of Object.keys(ERRORS)) {
    for (const part of ['what', 'why', 'todo']) {
      expect(words[`error.${code}.${part}`], `${code}.${part}`).toBeTruthy();
    }
    for (const action of errorRow(code).actions) expect(words[`action.${action}`]).toBeTruthy();
  }
  expect(errorRow('too_windy')).toBe(ERRORS.other);
});

test('every step of the recipe has a name, and no other', () => {
  const steps = JSON.parse(checkout('crates/recipe/tests/fixtures/steps.json')) as StepInfo[];
  const states = ['waiting', 'running', 'done', 'cached', 'skipped', 'failed', 'unknown'];
  for (const messages of [en, de]) {
    const named = Object.keys(messages).filter((key) => key.startsWith('step.'));
    const want = [...steps.map(({ id }) => id), ...states].map((name) => `step.${name}`);
    expect(named.sort()).toEqual(want.sort());
  }
});

test('every phase has a name', () => {
  for (const phase of PHASES) expect(words[`phase.${phase}`]).toBeTruthy();
});

test('the languages have the same keys and the same places to fill in', () => {
  expect(Object.keys(de)).toEqual(Object.keys(en));
  const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const [key, text] of Object.entries(de)) {
    expect(text.trim(), key).not.toBe('');
    expect(places(text), key).toEqual(places(words[key] ?? ''));
  }
});

test('words are calm', () => {
  for (const [key, text] of [...Object.entries(en), ...Object.entries(de)]) {
    // `#!` is how a script begins.
    expect(text.replaceAll('#!', ''), key).not.toMatch(/!|\.\.\.|please wait/i);
  }
});

const sources = (folder: URL): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? sources(new URL(`${entry.name}/`, folder))
      : /\.(svelte|ts)$/.test(entry.name)
        ? [readFileSync(new URL(entry.name, folder), 'utf8')]
        : [],
  );

test('every message is asked for somewhere', () => {
  const code = sources(new URL('../../src/', import.meta.url)).join('\n');
  const quoted = new Set(
    [...code.matchAll(/['"`]([a-zA-Z]+(?:\.[\w-]+)*)['"`]/g)].map((m) => m[1]),
  );
  const starts = [...code.matchAll(/`([a-zA-Z]+(?:\.[\w-]+)*\.)\$\{/g)].map((m) => m[1] ?? '');
  const asked = (key: string) =>
    quoted.has(key) ||
    quoted.has(key.replace(/\.(one|other)$/, '')) ||
    starts.some((start) => key.startsWith(start));
  expect(Object.keys(en).filter((key) => !asked(key))).toEqual([]);
});
