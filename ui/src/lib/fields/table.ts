/**
 * Every field of a profile, once: where it is shown and with which control. Labels and
 * help are in the messages (`field.PATH.label`, `field.PATH.help`); a test compares the
 * table with profiles/schema.json.
 */

import type { PickKind } from '../backend.ts';
import { asText, at, isTree, type Json, type Tree } from '../tree.ts';

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

const hasDesktop = (values: Tree): boolean =>
  !['none', 'kiosk', ''].includes(asText(at(values, 'desktop.environment')));
const isKiosk = (values: Tree): boolean => asText(at(values, 'desktop.environment')) === 'kiosk';
const hasCalamares = (values: Tree): boolean => at(values, 'installer.calamares') === true;
const hasFirewall = (values: Tree): boolean =>
  !['none', ''].includes(asText(at(values, 'security.firewall')));
const hasTable =
  (path: string) =>
  (values: Tree): boolean =>
    isTree(at(values, path));
const hasUser = (values: Tree): boolean => at(values, 'users.live') !== false;
const hasUefi = (values: Tree): boolean => at(values, 'boot.uefi') !== false;
const hasSnapshot = (values: Tree): boolean => asText(at(values, 'base.snapshot')) !== '';

const TEXT = { is: 'text' } as const;
const MONO = { is: 'text', mono: true } as const;
const SWITCH = { is: 'switch' } as const;

const LOCALES = [
  'en_US.UTF-8',
  'en_GB.UTF-8',
  'de_DE.UTF-8',
  'de_AT.UTF-8',
  'de_CH.UTF-8',
  'fr_FR.UTF-8',
  'es_ES.UTF-8',
  'it_IT.UTF-8',
  'nl_NL.UTF-8',
  'pl_PL.UTF-8',
  'pt_BR.UTF-8',
  'pt_PT.UTF-8',
  'cs_CZ.UTF-8',
  'da_DK.UTF-8',
  'fi_FI.UTF-8',
  'hu_HU.UTF-8',
  'nb_NO.UTF-8',
  'ro_RO.UTF-8',
  'sv_SE.UTF-8',
  'tr_TR.UTF-8',
  'uk_UA.UTF-8',
  'ru_RU.UTF-8',
  'el_GR.UTF-8',
  'ja_JP.UTF-8',
  'ko_KR.UTF-8',
  'zh_CN.UTF-8',
  'zh_TW.UTF-8',
  'C.UTF-8',
] as const;

const ZONES = [
  'Etc/UTC',
  'Europe/Berlin',
  'Europe/Vienna',
  'Europe/Zurich',
  'Europe/London',
  'Europe/Paris',
  'Europe/Madrid',
  'Europe/Rome',
  'Europe/Amsterdam',
  'Europe/Warsaw',
  'Europe/Prague',
  'Europe/Stockholm',
  'Europe/Helsinki',
  'Europe/Athens',
  'Europe/Kyiv',
  'Europe/Istanbul',
  'America/New_York',
  'America/Chicago',
  'America/Denver',
  'America/Los_Angeles',
  'America/Toronto',
  'America/Sao_Paulo',
  'America/Mexico_City',
  'Africa/Cairo',
  'Africa/Johannesburg',
  'Africa/Lagos',
  'Asia/Kolkata',
  'Asia/Shanghai',
  'Asia/Tokyo',
  'Asia/Seoul',
  'Asia/Singapore',
  'Asia/Dubai',
  'Australia/Sydney',
  'Pacific/Auckland',
] as const;

const LAYOUTS = [
  'us',
  'gb',
  'de',
  'at',
  'ch',
  'fr',
  'es',
  'it',
  'nl',
  'pl',
  'pt',
  'br',
  'cz',
  'dk',
  'fi',
  'hu',
  'no',
  'ro',
  'se',
  'tr',
  'ua',
  'ru',
  'gr',
  'jp',
  'latam',
  'de,us',
] as const;

const GROUPS = [
  'audio',
  'cdrom',
  'dip',
  'floppy',
  'video',
  'plugdev',
  'netdev',
  'users',
  'dialout',
  'lpadmin',
] as const;

/** What opens what, with programs that Debian's desktops bring. */
const APPLICATIONS = [
  ['browser', ['firefox-esr.desktop', 'chromium.desktop', 'org.gnome.Epiphany.desktop']],
  ['mail', ['thunderbird.desktop', 'org.gnome.Evolution.desktop', 'org.kde.kmail2.desktop']],
  [
    'files',
    [
      'org.kde.dolphin.desktop',
      'org.gnome.Nautilus.desktop',
      'thunar.desktop',
      'pcmanfm-qt.desktop',
      'nemo.desktop',
      'caja.desktop',
    ],
  ],
  [
    'editor',
    [
      'org.kde.kate.desktop',
      'org.gnome.TextEditor.desktop',
      'org.xfce.mousepad.desktop',
      'featherpad.desktop',
      'xed.desktop',
      'pluma.desktop',
    ],
  ],
  [
    'player',
    ['vlc.desktop', 'mpv.desktop', 'org.gnome.Totem.desktop', 'org.kde.dragonplayer.desktop'],
  ],
  [
    'pictures',
    [
      'org.kde.gwenview.desktop',
      'org.gnome.Loupe.desktop',
      'org.xfce.ristretto.desktop',
      'lximage-qt.desktop',
      'xviewer.desktop',
      'eom.desktop',
    ],
  ],
] as const;

export const FIELDS: readonly Field[] = [
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

  // Kernel and boot
  {
    path: 'kernel.flavour',
    section: 'boot',
    control: { is: 'choice', options: ['stable', 'backports', 'rt', 'cloud'] },
  },
  {
    path: 'kernel.firmware',
    section: 'boot',
    control: {
      is: 'checks',
      options: ['free', 'graphics', 'wireless', 'ethernet', 'sound', 'microcode', 'misc'],
    },
  },
  {
    path: 'boot.entries',
    section: 'boot',
    control: {
      is: 'ordered',
      min: 1,
      options: [
        'live',
        'live-to-ram',
        'safe-graphics',
        'install',
        'debian-installer',
        'verify-medium',
        'memory-test',
        'local-disk',
      ],
    },
  },
  { path: 'boot.timeout', section: 'boot', control: { is: 'timeout' } },
  {
    path: 'boot.bios',
    section: 'boot',
    behind: 'loaders',
    control: { is: 'choice', options: ['isolinux', 'grub', 'none'] },
  },
  { path: 'boot.uefi', section: 'boot', behind: 'loaders', control: SWITCH },
  { path: 'boot.secure_boot', section: 'boot', behind: 'loaders', control: SWITCH, when: hasUefi },
  {
    path: 'boot.parameters',
    section: 'boot',
    behind: 'parameters',
    control: { is: 'words', ordered: true },
  },
  {
    path: 'kernel.cmdline',
    section: 'boot',
    behind: 'parameters',
    control: { is: 'words', ordered: true },
  },
  { path: 'kernel.blacklist', section: 'boot', behind: 'parameters', control: { is: 'words' } },
  { path: 'boot.serial', section: 'boot', behind: 'serial', control: { is: 'serial' } },

  // Installer
  { path: 'installer.calamares', section: 'installer', control: SWITCH },
  { path: 'installer.only', section: 'installer', control: SWITCH, when: hasCalamares },
  { path: 'installer.debian', section: 'installer', control: SWITCH },
  {
    path: 'installer.encryption',
    section: 'installer',
    control: { is: 'choice', options: ['offered', 'preselected', 'hidden'] },
    when: hasCalamares,
  },
  {
    path: 'installer.filesystem',
    section: 'installer',
    behind: 'disk',
    control: { is: 'choice', options: ['ext4', 'btrfs', 'xfs'] },
    when: hasCalamares,
  },
  {
    path: 'installer.swap',
    section: 'installer',
    behind: 'disk',
    control: { is: 'choice', options: ['none', 'small', 'suspend', 'file'] },
    when: hasCalamares,
  },
  {
    path: 'installer.luks',
    section: 'installer',
    behind: 'disk',
    control: { is: 'choice', options: ['luks1', 'luks2'] },
    when: hasCalamares,
  },
  {
    path: 'installer.pages',
    section: 'installer',
    behind: 'pages',
    control: {
      is: 'checks',
      options: ['welcome', 'locale', 'keyboard', 'partition', 'users', 'summary'],
    },
    when: hasCalamares,
  },
  {
    path: 'installer.remove',
    section: 'installer',
    behind: 'remove',
    control: { is: 'words' },
    when: hasCalamares,
  },

  // AI helper
  {
    path: 'ai',
    section: 'ai',
    control: {
      is: 'optional',
      start: { interface: 'ollama', endpoint: 'http://127.0.0.1:11434', model: 'llama3.2' },
    },
  },
  {
    path: 'ai.interface',
    section: 'ai',
    control: { is: 'choice', options: ['ollama', 'openai'] },
    when: hasTable('ai'),
  },
  {
    path: 'ai.endpoint',
    section: 'ai',
    control: { is: 'text', mono: true, list: ['http://127.0.0.1:11434'] },
    when: hasTable('ai'),
  },
  {
    path: 'ai.model',
    section: 'ai',
    control: { is: 'text', mono: true, max: 200, list: ['llama3.2', 'qwen3', 'gemma3', 'mistral'] },
    when: hasTable('ai'),
  },

  // Security
  {
    path: 'security.firewall',
    section: 'security',
    control: { is: 'choice', options: ['none', 'nftables', 'ufw'] },
  },
  {
    path: 'security.open_ports',
    section: 'security',
    control: {
      is: 'words',
      list: ['22/tcp', '80/tcp', '443/tcp', '443/udp', '631/tcp', '5353/udp'],
    },
    when: hasFirewall,
  },
  { path: 'security.automatic_updates', section: 'security', control: SWITCH },
  { path: 'security.apparmor', section: 'security', control: SWITCH },
  { path: 'security.hardening', section: 'security', control: SWITCH },
  {
    path: 'security.ssh',
    section: 'security',
    behind: 'ssh',
    control: { is: 'optional', start: { password: false, root: false } },
  },
  {
    path: 'security.ssh.password',
    section: 'security',
    behind: 'ssh',
    control: SWITCH,
    when: hasTable('security.ssh'),
  },
  {
    path: 'security.ssh.root',
    section: 'security',
    behind: 'ssh',
    control: SWITCH,
    when: hasTable('security.ssh'),
  },
  { path: 'security.fail2ban', section: 'security', behind: 'ssh', control: SWITCH },
  { path: 'security.dns_over_tls', section: 'security', behind: 'network', control: SWITCH },
  { path: 'security.random_mac', section: 'security', behind: 'network', control: SWITCH },
  {
    path: 'security.signing',
    section: 'security',
    behind: 'signing',
    control: { is: 'optional', start: { key: '', certificate: '' } },
  },
  {
    path: 'security.signing.key',
    section: 'security',
    behind: 'signing',
    control: { is: 'file', pick: 'pem' },
    when: hasTable('security.signing'),
  },
  {
    path: 'security.signing.certificate',
    section: 'security',
    behind: 'signing',
    control: { is: 'file', pick: 'pem' },
    when: hasTable('security.signing'),
  },

  // Branding
  { path: 'branding.name', section: 'branding', control: TEXT },
  { path: 'branding.version', section: 'branding', control: { is: 'text', max: 64 } },
  {
    path: 'branding.logo',
    section: 'branding',
    control: { is: 'file', pick: 'logo', picture: true },
  },
  {
    path: 'branding.wallpaper',
    section: 'branding',
    control: { is: 'file', pick: 'wallpaper', picture: true },
  },
  {
    path: 'branding.wallpaper_dark',
    section: 'branding',
    control: { is: 'file', pick: 'wallpaper', picture: true },
  },
  {
    path: 'branding.accent',
    section: 'branding',
    control: {
      is: 'colour',
      swatches: [
        '#4f9cf0',
        '#2f7de1',
        '#1b9e8a',
        '#58a64b',
        '#e0a030',
        '#e2703a',
        '#d64550',
        '#9b6bdf',
      ],
    },
  },
  {
    path: 'branding.background',
    section: 'branding',
    control: {
      is: 'colour',
      swatches: [
        '#0d1b2e',
        '#101418',
        '#1d1b2a',
        '#12241d',
        '#2b1620',
        '#eef1f5',
        '#f7f3ea',
        '#ffffff',
      ],
    },
  },
  {
    path: 'branding.text',
    section: 'branding',
    control: { is: 'colour', swatches: ['#e8eef6', '#ffffff', '#f5ead6', '#1b2230', '#000000'] },
  },
  {
    path: 'branding.short_name',
    section: 'branding',
    behind: 'names',
    control: { is: 'text', max: 32 },
  },
  {
    path: 'branding.id',
    section: 'branding',
    behind: 'names',
    control: { is: 'text', mono: true, max: 64 },
  },
  {
    path: 'branding.codename',
    section: 'branding',
    behind: 'names',
    control: { is: 'text', max: 64 },
  },
  { path: 'branding.vendor', section: 'branding', behind: 'names', control: TEXT },
  { path: 'branding.motd', section: 'branding', behind: 'texts', control: { is: 'area' } },
  {
    path: 'branding.slides',
    section: 'branding',
    behind: 'slides',
    control: {
      is: 'rows',
      title: 'title',
      columns: [
        { name: 'title', control: { is: 'text', max: 80 }, required: true },
        { name: 'text', control: { is: 'area' }, required: true },
        { name: 'picture', control: { is: 'file', pick: 'wallpaper' } },
      ],
    },
  },
  { path: 'branding.urls.home', section: 'branding', behind: 'urls', control: MONO },
  { path: 'branding.urls.support', section: 'branding', behind: 'urls', control: MONO },
  { path: 'branding.urls.bugs', section: 'branding', behind: 'urls', control: MONO },
  { path: 'branding.urls.documentation', section: 'branding', behind: 'urls', control: MONO },

  // Files and scripts
  {
    path: 'files',
    section: 'files',
    control: {
      is: 'rows',
      title: 'target',
      columns: [
        { name: 'source', control: { is: 'file', pick: 'overlay' }, required: true },
        { name: 'target', control: MONO, required: true, start: '/' },
        { name: 'mode', control: MONO },
        { name: 'owner', control: MONO, start: 'root' },
        { name: 'group', control: MONO, start: 'root' },
      ],
    },
  },
  {
    path: 'scripts',
    section: 'files',
    control: {
      is: 'rows',
      title: 'source',
      columns: [
        { name: 'source', control: { is: 'file', pick: 'script' }, required: true },
        {
          name: 'point',
          control: {
            is: 'choice',
            options: ['after-base', 'after-packages', 'before-image', 'first-boot'],
          },
          required: true,
          start: 'after-packages',
        },
        { name: 'network', control: SWITCH, start: false },
      ],
    },
  },
  { path: 'services.enable', section: 'files', behind: 'services', control: { is: 'words' } },
  { path: 'services.disable', section: 'files', behind: 'services', control: { is: 'words' } },

  // Image
  { path: 'image.compression', section: 'image', control: { is: 'compression' } },
  {
    path: 'image.checksums',
    section: 'image',
    control: { is: 'checks', options: ['sha256', 'sha512', 'md5'] },
  },
  { path: 'image.file_name', section: 'image', behind: 'names', control: MONO },
  {
    path: 'image.label',
    section: 'image',
    behind: 'names',
    control: { is: 'text', mono: true, max: 32 },
  },
  { path: 'image.source_date', section: 'image', behind: 'date', control: MONO },
];

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
