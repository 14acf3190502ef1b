/** The profiles that ship, merged as crates/spec merges them, for a page without Rust. */

import { parse } from 'smol-toml';
import ailinux from '../../../../../profiles/ailinux/profile.toml?raw';
import kde from '../../../../../profiles/kde/profile.toml?raw';
import minimal from '../../../../../profiles/minimal/profile.toml?raw';
import rescue from '../../../../../profiles/rescue/profile.toml?raw';
import standard from '../../../../../profiles/standard/profile.toml?raw';
import defaults from '../../../../../crates/spec/src/defaults.toml?raw';
import { asText, asTexts, at, isTree, type Json, put, same, type Tree } from '../../tree.ts';

const TEXTS: Record<string, string> = { ailinux, kde, minimal, rescue, standard };

export const PROFILE_NAMES = ['minimal', 'standard', 'rescue', 'kde', 'ailinux'];

/** Lists that add to the parent's. */
export const ADDING = [
  'software.packages',
  'software.exclude',
  'software.debs',
  'software.debconf',
  'services.enable',
  'services.disable',
  'files',
  'scripts',
  'base.repositories',
];

export const readToml = (text: string): Tree => parse(text) as unknown as Tree;

function added(parent: Json[], own: Json[]): Json[] {
  const out = own.filter((item) => typeof item === 'string' && item.startsWith('!'));
  const gone = new Set(out.map((item) => String(item).slice(1)));
  const rest = parent.filter((item) => !gone.has(String(item)));
  const more = own.filter((item) => !out.includes(item) && !rest.includes(item));
  return [...rest, ...more];
}

/** `child` on top of `parent`. */
export function merge(parent: Tree, child: Tree, prefix = ''): Tree {
  const merged: Tree = { ...parent };
  for (const [key, value] of Object.entries(child)) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    const before = parent[key];
    if (isTree(before) && isTree(value)) merged[key] = merge(before, value, path);
    else if (ADDING.includes(path) && Array.isArray(before) && Array.isArray(value)) {
      merged[key] = added(before, value);
    } else merged[key] = value;
  }
  return merged;
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** Login screen and kind of session of each desktop. */
const SESSIONS: Record<string, readonly [string, string]> = {
  kde: ['sddm', 'wayland'],
  gnome: ['gdm', 'wayland'],
  xfce: ['lightdm', 'x11'],
  lxqt: ['sddm', 'x11'],
  cinnamon: ['lightdm', 'x11'],
  mate: ['lightdm', 'x11'],
  kiosk: ['none', 'wayland'],
};

/** The boot menu with the installers, where nobody has written another one. */
function menu(values: Tree): Json {
  const entries = at(values, 'boot.entries') ?? [];
  if (!same(entries, at(readToml(defaults), 'boot.entries'))) return entries;
  const live = ['live', 'live-to-ram', 'safe-graphics'];
  const all = asTexts(entries);
  const on = (name: string) => at(values, `installer.${name}`) === true;
  return [
    ...(on('calamares') && on('only') ? [] : live),
    ...(on('calamares') ? ['install'] : []),
    ...(on('debian') ? ['debian-installer'] : []),
    ...all.filter((entry) => !live.includes(entry)),
  ];
}

/** Fills in what follows from other values. */
export function settle(values: Tree): Tree {
  const profile = asText(at(values, 'profile.name')) || 'profile';
  let tree = values;
  const open = (path: string, value: () => Json) => {
    if (at(tree, path) === undefined) tree = put(tree, path, value());
  };
  open('branding.name', () => profile.split('-').map(capital).join(' '));
  const name = asText(at(tree, 'branding.name'));
  open('branding.short_name', () => name.slice(0, 32));
  open('branding.id', () => profile);
  const version = asText(at(tree, 'branding.version'));
  open('image.label', () =>
    `${name} ${version}`
      .trim()
      .toUpperCase()
      .replace(/[^A-Z0-9_.-]+/g, '_')
      .slice(0, 32),
  );
  open('branding.motd', () => `Welcome to ${name}.\n`);
  const [manager, session] = SESSIONS[asText(at(tree, 'desktop.environment'))] ?? ['none', 'x11'];
  open('desktop.display_manager', () => manager);
  open('desktop.session', () => session);
  tree = put(tree, 'boot.entries', menu(tree));
  if (at(tree, 'boot.uefi') === false && at(values, 'boot.secure_boot') === undefined) {
    tree = put(tree, 'boot.secure_boot', false);
  }
  return tree;
}

/** A profile with all its parents and the defaults, not yet settled. */
export function whole(name: string): Tree {
  const own = readToml(TEXTS[name] ?? minimal);
  const parent = asText(own['extends']);
  return merge(parent ? whole(parent) : readToml(defaults), own);
}

export const profileText = (name: string): string | undefined => TEXTS[name];
