/** Drafts in memory: what `src-tauri` does with crates/spec, small. */

import { stringify } from 'smol-toml';
import type { Draft, DraftSource } from '../../backend.ts';
import { asText, asTexts, at, isTree, type Json, put, same, type Tree } from '../../tree.ts';
import { check } from './check.ts';
import { ADDING, merge, PROFILE_NAMES, profileText, readToml, settle, whole } from './profiles.ts';

interface Kept {
  draft: Draft;
  /** The person's own changes. */
  own: Tree;
  /** The profile below them, not settled. */
  below: Tree;
}

const kept = new Map<string, Kept>();
let count = 0;

/** Paths of all that a tree sets. */
const paths = (tree: Tree, prefix = ''): string[] =>
  Object.entries(tree).flatMap(([key, value]) =>
    isTree(value) ? paths(value, `${prefix}${key}.`) : [`${prefix}${key}`],
  );

const header = (profile: string | null, own: Tree): Tree => ({
  format: 1,
  ...(profile ? { extends: profile } : {}),
  ...own,
});

function draw(
  id: string,
  profile: string | null,
  path: string | null,
  own: Tree,
  below: Tree,
): Draft {
  const values = settle(merge(below, own));
  const toml = `${stringify(header(profile, own)).trim()}\n`;
  const name = asText(at(values, 'branding.name'));
  const version = asText(at(values, 'branding.version'));
  return {
    id,
    title: `${name} ${version}`.trim(),
    path,
    profile,
    toml,
    values,
    base: settle(below),
    own: paths(own),
    problems: check(values),
  };
}

function keep(
  id: string,
  profile: string | null,
  path: string | null,
  own: Tree,
  below: Tree,
): Draft {
  const draft = draw(id, profile, path, own, below);
  kept.set(id, { draft, own, below });
  return draft;
}

const find = (id: string): Kept => {
  const found = kept.get(id);
  if (!found) throw new Error(`no draft ${id}`);
  return found;
};

export function open(from: DraftSource): Draft {
  count += 1;
  const id = `draft-${count}`;
  if ('profile' in from) return keep(id, from.profile, null, {}, whole(from.profile));
  if ('text' in from) return fromText(id, from.text, null);
  const path = 'path' in from ? from.path : from.iso;
  const known = PROFILE_NAMES.find((name) => path.includes(`/${name}/`));
  if (known) return fromText(id, profileText(known) ?? '', path);
  return fromText(id, SAMPLE, 'path' in from ? path : null);
}

function fromText(id: string, text: string, path: string | null): Draft {
  const read = readToml(text);
  const profile = asText(read['extends']) || null;
  const own = put(put(read, 'extends', undefined), 'format', undefined);
  return keep(id, profile, path, own, whole(profile ?? 'minimal'));
}

/** The value to write so that the merged one reads `wanted`. */
function written(path: string, wanted: Json, below: Tree): Json {
  const before = at(below, path);
  if (!ADDING.includes(path) || !Array.isArray(before) || !Array.isArray(wanted)) return wanted;
  const more = wanted.filter((item) => !before.some((old) => same(old, item)));
  const names = asTexts(before).filter((name) => name !== '' && !wanted.includes(name));
  return [...more, ...names.map((name) => `!${name}`)];
}

function without(tree: Tree, path: string): Tree {
  const cut = put(tree, path, undefined);
  const parent = path.split('.').slice(0, -1).join('.');
  const left = parent === '' ? undefined : at(cut, parent);
  const empty = typeof left === 'object' && left !== null && Object.keys(left).length === 0;
  return empty ? without(cut, parent) : cut;
}

export function edit(id: string, path: string, value: Json): Draft {
  const { draft, own, below } = find(id);
  const back = value === null || same(value, at(draft.base, path));
  const next = back ? without(own, path) : put(own, path, written(path, value, below));
  return keep(id, draft.profile, draft.path, next, below);
}

export function editText(id: string, toml: string): Draft {
  const { draft } = find(id);
  try {
    return { ...fromText(id, toml, draft.path), toml };
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
    return { ...draft, toml, problems: [{ path: '', message, fix: null }] };
  }
}

export function save(id: string, path: string): Draft {
  const { draft, own, below } = find(id);
  return keep(id, draft.profile, path, own, below);
}

export const read = (id: string): Draft => find(id).draft;

const SAMPLE = `format = 1
extends = "rescue"

[branding]
name = "Aurora OS"
short_name = "Aurora"
version = "1.0"
accent = "#2fb48f"
background = "#0b1f24"

[region]
locales = ["de_DE.UTF-8", "en_US.UTF-8"]
timezone = "Europe/Berlin"
hostname = "aurora"

[region.keyboard]
layout = "de"

[software]
packages = ["vim", "git", "!htop"]
`;
