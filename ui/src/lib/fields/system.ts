/** Fields of what the system is: base, desktop, software, region, users. */

import { asText, at, type Tree } from '../tree.ts';
import { APPLICATIONS, GROUPS, LAYOUTS, LOCALES, ZONES } from './suggestions.ts';
import type { Field } from './types.ts';

const hasDesktop = (values: Tree): boolean =>
  !['none', 'kiosk', ''].includes(asText(at(values, 'desktop.environment')));
const isKiosk = (values: Tree): boolean => asText(at(values, 'desktop.environment')) === 'kiosk';
const hasUser = (values: Tree): boolean => at(values, 'users.live') !== false;
const hasSnapshot = (values: Tree): boolean => asText(at(values, 'base.snapshot')) !== '';
const TEXT = { is: 'text' } as const;
const MONO = { is: 'text', mono: true } as const;
const SWITCH = { is: 'switch' } as const;

export const SYSTEM: readonly Field[] = [
  // Base
  {
    path: 'base.suite',
    section: 'base',
    control: { is: 'choice', options: ['bookworm', 'trixie', 'forky', 'sid'] },
  },
  {
    path: 'base.components',
    section: 'base',
    control: { is: 'checks', options: ['main', 'contrib', 'non-free', 'non-free-firmware'] },
  },
  { path: 'base.security', section: 'base', control: { is: 'security' } },
  { path: 'base.updates', section: 'base', control: SWITCH },
  {
    path: 'base.mirrors',
    section: 'base',
    behind: 'mirrors',
    control: { is: 'words', ordered: true, list: ['auto', 'https://deb.debian.org/debian'] },
  },
  { path: 'base.proxy', section: 'base', behind: 'mirrors', control: MONO },
  {
    path: 'base.key',
    section: 'base',
    behind: 'mirrors',
    control: { is: 'file', pick: 'key' },
  },
  { path: 'base.snapshot', section: 'base', behind: 'snapshot', control: MONO },
  {
    path: 'base.snapshot_base',
    section: 'base',
    behind: 'snapshot',
    control: MONO,
    when: hasSnapshot,
  },
  {
    path: 'base.repositories',
    section: 'base',
    behind: 'repositories',
    control: {
      is: 'rows',
      title: 'name',
      columns: [
        { name: 'name', control: MONO, required: true },
        { name: 'uri', control: MONO, required: true },
        { name: 'suite', control: MONO, required: true, start: 'stable' },
        { name: 'components', control: { is: 'words' }, start: ['main'] },
        { name: 'key', control: { is: 'file', pick: 'key' }, required: true },
        { name: 'keep', control: SWITCH, start: true },
      ],
    },
  },
  {
    path: 'profile.name',
    section: 'base',
    behind: 'about',
    control: { is: 'text', mono: true, max: 64 },
  },
  { path: 'profile.description', section: 'base', behind: 'about', control: TEXT },
  {
    path: 'base.architecture',
    section: 'base',
    behind: 'about',
    control: { is: 'choice', options: ['amd64'] },
  },

  // Desktop
  {
    path: 'desktop.environment',
    section: 'desktop',
    control: {
      is: 'choice',
      options: ['none', 'kde', 'gnome', 'xfce', 'lxqt', 'cinnamon', 'mate', 'kiosk'],
    },
  },
  { path: 'desktop.kiosk_page', section: 'desktop', control: MONO, when: isKiosk },
  {
    path: 'desktop.size',
    section: 'desktop',
    control: { is: 'choice', options: ['minimal', 'standard', 'full'] },
    when: hasDesktop,
  },
  ...APPLICATIONS.map(([name, list]): Field => ({
    path: `desktop.applications.${name}`,
    section: 'desktop',
    behind: 'applications',
    control: { is: 'text', mono: true, list },
    when: hasDesktop,
  })),
  {
    path: 'desktop.display_manager',
    section: 'desktop',
    behind: 'login',
    control: { is: 'choice', options: ['sddm', 'gdm', 'lightdm', 'none'] },
  },
  {
    path: 'desktop.session',
    section: 'desktop',
    behind: 'login',
    control: { is: 'choice', options: ['wayland', 'x11'] },
  },

  // Software
  { path: 'software.packages', section: 'software', control: { is: 'packages' } },
  { path: 'software.recommends', section: 'software', control: SWITCH },
  { path: 'software.exclude', section: 'software', behind: 'exclude', control: { is: 'words' } },
  {
    path: 'software.debs',
    section: 'software',
    behind: 'debs',
    control: { is: 'files', pick: 'deb' },
  },
  {
    path: 'software.debconf',
    section: 'software',
    behind: 'debconf',
    control: {
      is: 'rows',
      title: 'question',
      columns: [
        { name: 'package', control: MONO, required: true },
        { name: 'question', control: MONO, required: true },
        {
          name: 'kind',
          control: {
            is: 'choice',
            options: ['boolean', 'string', 'select', 'multiselect', 'password', 'note'],
          },
          required: true,
          start: 'string',
        },
        { name: 'value', control: TEXT, required: true, start: '' },
      ],
    },
  },

  // Region
  {
    path: 'region.locales',
    section: 'region',
    control: { is: 'words', ordered: true, list: LOCALES },
  },
  {
    path: 'region.keyboard.layout',
    section: 'region',
    control: { is: 'text', mono: true, list: LAYOUTS },
  },
  { path: 'region.timezone', section: 'region', control: { is: 'text', mono: true, list: ZONES } },
  { path: 'region.hostname', section: 'region', control: { is: 'text', mono: true, max: 63 } },
  {
    path: 'region.keyboard.variant',
    section: 'region',
    behind: 'keyboard',
    control: { is: 'text', mono: true, list: ['nodeadkeys', 'neo', 'dvorak', 'colemak', 'intl'] },
  },
  {
    path: 'region.keyboard.model',
    section: 'region',
    behind: 'keyboard',
    control: { is: 'text', mono: true, list: ['pc104', 'pc105'] },
  },
  { path: 'region.keyboard.options', section: 'region', behind: 'keyboard', control: MONO },

  // Users
  { path: 'users.live', section: 'users', control: { is: 'account' } },
  {
    path: 'users.live.name',
    section: 'users',
    control: { is: 'text', mono: true, max: 32 },
    when: hasUser,
  },
  { path: 'users.live.full_name', section: 'users', control: TEXT, when: hasUser },
  { path: 'users.live.autologin', section: 'users', control: SWITCH, when: hasUser },
  { path: 'users.live.password', section: 'users', control: { is: 'password' }, when: hasUser },
  {
    path: 'users.live.sudo',
    section: 'users',
    control: { is: 'choice', options: ['nopasswd', 'password', 'none'] },
    when: hasUser,
  },
  {
    path: 'users.live.groups',
    section: 'users',
    behind: 'groups',
    control: {
      is: 'words',
      list: GROUPS,
    },
    when: hasUser,
  },
  {
    path: 'users.live.ssh_keys',
    section: 'users',
    behind: 'ssh',
    control: { is: 'words', lines: true },
    when: hasUser,
  },
  {
    path: 'users.accounts',
    section: 'users',
    behind: 'accounts',
    control: {
      is: 'rows',
      title: 'name',
      columns: [
        { name: 'name', control: { is: 'text', mono: true, max: 32 }, required: true },
        { name: 'full_name', control: TEXT },
        { name: 'password', control: { is: 'password' }, start: 'locked' },
        { name: 'groups', control: { is: 'words', list: GROUPS }, start: [] },
        { name: 'sudo', control: SWITCH, start: false },
        { name: 'reset', control: SWITCH, start: false },
      ],
    },
  },
  { path: 'users.root.password', section: 'users', behind: 'root', control: { is: 'password' } },
];
