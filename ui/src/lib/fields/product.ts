/** Fields of how it starts, gets onto disks, is protected, looks and is packed. */

import { asText, at, isTree, type Tree } from '../tree.ts';
import type { Field } from './types.ts';

const hasCalamares = (values: Tree): boolean => at(values, 'installer.calamares') === true;
const hasFirewall = (values: Tree): boolean =>
  !['none', ''].includes(asText(at(values, 'security.firewall')));
const hasTable =
  (path: string) =>
  (values: Tree): boolean =>
    isTree(at(values, path));
const hasUefi = (values: Tree): boolean => at(values, 'boot.uefi') !== false;
const TEXT = { is: 'text' } as const;
const MONO = { is: 'text', mono: true } as const;
const SWITCH = { is: 'switch' } as const;

export const PRODUCT: readonly Field[] = [
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
