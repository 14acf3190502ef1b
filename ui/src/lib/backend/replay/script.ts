/** A whole build as its events, made like a real one of the profile `minimal`. */

import type { BuildEvent, BuildResult, ErrorView, EventKind, Phase } from '../../protocol.ts';
import { readError } from '../../protocol.ts';
import packages from './packages.json';

interface Row {
  id: string;
  title: string;
  phase: Phase;
  weight: number;
  ms: number;
  counts?: 'bytes' | 'packages' | 'percent';
  skipped?: string;
}

const ROWS: Row[] = [
  { id: 'preflight', title: 'Check the machine', phase: 'environment', weight: 1, ms: 60 },
  {
    id: 'tools',
    title: 'Make the tools',
    phase: 'environment',
    weight: 30,
    ms: 30_500,
    counts: 'packages',
  },
  { id: 'mirrors', title: 'Ask the mirrors', phase: 'environment', weight: 1, ms: 140 },
  {
    id: 'index',
    title: 'Download the package lists',
    phase: 'environment',
    weight: 3,
    ms: 3_200,
    counts: 'bytes',
  },
  { id: 'resolve', title: 'Choose the packages', phase: 'base_system', weight: 2, ms: 5_300 },
  {
    id: 'fetch',
    title: 'Download the packages',
    phase: 'base_system',
    weight: 10,
    ms: 14_000,
    counts: 'bytes',
  },
  {
    id: 'base',
    title: 'Unpack and configure the base system',
    phase: 'base_system',
    weight: 8,
    ms: 13_200,
    counts: 'packages',
  },
  {
    id: 'after-base',
    title: 'Run the scripts for after the base system',
    phase: 'base_system',
    weight: 1,
    ms: 20,
    skipped: 'the profile has no script for this point',
  },
  {
    id: 'packages',
    title: 'Install the software',
    phase: 'desktop',
    weight: 25,
    ms: 43_000,
    counts: 'packages',
  },
  {
    id: 'after-packages',
    title: 'Run the scripts for after the software',
    phase: 'desktop',
    weight: 1,
    ms: 20,
    skipped: 'the profile has no script for this point',
  },
  {
    id: 'region',
    title: 'Set language, keyboard and time zone',
    phase: 'integration',
    weight: 2,
    ms: 5_300,
  },
  { id: 'users', title: 'Set up users', phase: 'integration', weight: 1, ms: 20 },
  {
    id: 'files',
    title: 'Lay files over the tree',
    phase: 'integration',
    weight: 1,
    ms: 20,
    skipped: 'the profile lays no files over the tree',
  },
  { id: 'services', title: 'Switch services', phase: 'integration', weight: 1, ms: 100 },
  { id: 'initramfs', title: 'Make the initramfs', phase: 'integration', weight: 10, ms: 18_000 },
  { id: 'branding', title: 'Write the product’s names', phase: 'integration', weight: 1, ms: 70 },
  { id: 'clean', title: 'Clean the tree', phase: 'iso', weight: 1, ms: 20 },
  {
    id: 'squashfs',
    title: 'Pack the tree',
    phase: 'iso',
    weight: 40,
    ms: 29_500,
    counts: 'percent',
  },
  {
    id: 'boot-files',
    title: 'Lay out the medium with its boot menus',
    phase: 'iso',
    weight: 2,
    ms: 2_600,
  },
  { id: 'iso', title: 'Write the ISO', phase: 'iso', weight: 3, ms: 2_700, counts: 'percent' },
  { id: 'verify', title: 'Read the ISO back', phase: 'iso', weight: 1, ms: 300 },
];

export interface Wish {
  build: string;
  profile: string;
  started: number;
  /** How it ends. */
  end: 'succeeded' | 'cancelled' | 'interrupted' | { code: string };
  /** Asks a person on its way. */
  asks?: boolean;
  /** Something of the session changes on its way. */
  harms?: boolean;
  iso: string;
}

const CLASSES: Record<string, string> = {
  disk_full: 'disk_space',
  mirror_unreachable: 'network',
  package_conflict: 'package',
};

/** What an error of this code could look like in full. */
export const sampleError = (code: string, step: string | null): ErrorView =>
  readError({
    class: CLASSES[code] ?? 'internal',
    code,
    step,
    message: 'apt-get ended with status 100 while it worked in the tree',
    advice: 'Read the last lines that the program printed.',
    causes: ['E: Sub-process /usr/bin/dpkg returned an error code (1)'],
    command: '[in /, offline] apt-get install --no-install-recommends vim git',
    tail: [
      'Setting up linux-image-6.12.48+deb13-amd64 (6.12.48-1) ...',
      'dpkg: error processing package vim (--configure):',
      ' installed vim package post-installation script subprocess returned error exit status 1',
      'E: Sub-process /usr/bin/dpkg returned an error code (1)',
    ],
    recovery: 'fix_and_resume',
  });

const SUMS = {
  sha256: '0ab7f8d1a11dc134e77d9dfad9d995d25ba2e87371a0dd7b0038a9752abd1477',
  md5: 'ba32732495cb83ca045576048d64a353',
};

const names = packages.map(([name, version]) => [String(name), String(version)] as const);
const wave = (x: number, speed: number, shift = 0) => (Math.sin(x / speed + shift) + 1) / 2;

function resultOf(wish: Wish): BuildResult {
  if (typeof wish.end === 'object') {
    return { is: 'failed', error: sampleError(wish.end.code, 'packages') };
  }
  if (wish.end !== 'succeeded') return { is: wish.end };
  const files = ['sha256', 'md5', 'manifest'].map((end) => `${wish.iso}.${end}`);
  return { is: 'succeeded', iso: { path: wish.iso, size: 272_629_760, checksums: SUMS }, files };
}

const FAILS_AT: Record<string, string> = {
  cancelled: 'squashfs',
  interrupted: 'packages',
};

export function script(wish: Wish): BuildEvent[] {
  const events: BuildEvent[] = [];
  let atMs = 0;
  let nextMetrics = 400;
  const say = (kind: EventKind) =>
    events.push({ seq: events.length, atMs: Math.round(atMs), ...kind });
  const log = (step: string, line: string, level: 'debug' | 'info' | 'warn' = 'debug') =>
    say({ type: 'log', step, stream: level === 'info' ? 'engine' : 'stdout', level, line });
  const metrics = (step: string) => {
    const packing = step === 'squashfs' || step === 'initramfs';
    const loading = step === 'fetch' || step === 'index';
    say({
      type: 'metrics',
      metrics: {
        cpuPermille: Math.round(
          packing ? 930 + 60 * wave(atMs, 3000) : 320 + 420 * wave(atMs, 4200),
        ),
        memoryUsed: 3.1e9 + (packing ? 1.6e9 : 0.5e9) * wave(atMs, 30_000),
        memoryTotal: 16.6e9,
        diskRead: 2e6 + 9e6 * wave(atMs, 1900),
        diskWritten: (packing ? 12e6 : 64e6) * wave(atMs, 2600, 1),
        received: loading ? 18e6 + 9e6 * wave(atMs, 1500) : 40e3 * wave(atMs, 900),
        sent: 30e3 * wave(atMs, 900),
        diskFree: 74.2e9 - atMs * 9000,
      },
    });
  };
  const tick = (step: string, ms: number) => {
    atMs += ms;
    while (atMs >= nextMetrics) {
      metrics(step);
      nextMetrics += 1000;
    }
  };

  say({
    type: 'hello',
    version: '0.1.0',
    build: wish.build,
    profile: wish.profile,
    started: wish.started,
    isolation: 'namespace',
  });
  atMs = 120;
  say({
    type: 'planned',
    steps: ROWS.map(({ id, title, phase, weight }) => ({
      id,
      title,
      phase,
      weight,
      cached: false,
    })),
  });
  say({
    type: 'session_watched',
    session: 'graphical',
    items: [
      { what: 'session', name: 'kwin_wayland', pid: 1418 },
      { what: 'display_manager', name: 'sddm', pid: 902 },
      { what: 'network', name: 'NetworkManager', pid: 777 },
      { what: 'message_bus', name: 'dbus-daemon', pid: 741 },
      { what: 'login_manager', name: 'systemd-logind', pid: 760 },
      { what: 'user_manager', name: 'systemd --user', pid: 1377 },
      { what: 'mounts', name: '43 mounts', pid: null },
    ],
  });

  const failing = typeof wish.end === 'object' ? 'packages' : (FAILS_AT[wish.end] ?? null);
  for (const row of ROWS) {
    say({ type: 'step_started', step: row.id, attempt: 1 });
    log(row.id, row.title, 'info');
    if (row.skipped !== undefined) {
      tick(row.id, row.ms);
      say({
        type: 'step_finished',
        step: row.id,
        outcome: { is: 'skipped', why: row.skipped },
        tookMs: row.ms,
      });
      continue;
    }
    const began = atMs;
    if (row.id === 'fetch') {
      tick(row.id, 2600);
      const error = {
        ...sampleError('mirror_unreachable', 'fetch'),
        message: 'deb.debian.org could not be reached',
      };
      say({ type: 'step_retried', step: 'fetch', attempt: 1, waitMs: 1100, error });
      tick(row.id, 1100);
      say({ type: 'step_started', step: 'fetch', attempt: 2 });
    }
    if (wish.asks && row.id === 'packages') {
      const error = sampleError('disk_full', 'packages');
      say({ type: 'asked', question: 1, error, choices: ['retry', 'stop'] });
    }
    const total =
      row.counts === 'bytes'
        ? row.id === 'index'
          ? 9.6e6
          : 168e6
        : row.counts === 'packages'
          ? 284
          : 100;
    const parts = row.counts ? Math.max(4, Math.round(row.ms / 400)) : 1;
    const stop = failing === row.id ? Math.ceil(parts / 2) : parts;
    for (let part = 1; part <= stop; part += 1) {
      tick(row.id, row.ms / parts);
      const [name, version] = names[(part * 7) % names.length] ?? ['base-files', '13'];
      if (row.counts) {
        say({
          type: 'progress',
          step: row.id,
          done: Math.round((total * part) / parts),
          total,
          unit: row.counts,
          note: row.counts === 'percent' ? null : name,
        });
      }
      if (row.counts === 'packages') {
        log(row.id, `Selecting previously unselected package ${name}.`);
        log(row.id, `Preparing to unpack .../${name}_${version}_amd64.deb ...`);
        log(row.id, `Unpacking ${name} (${version}) ...`);
        log(row.id, `Setting up ${name} (${version}) ...`);
        if (part % 23 === 0)
          log(row.id, `dpkg: warning: ignoring pre-dependency problem of ${name}`, 'warn');
      }
      if (row.id === 'fetch')
        log(
          row.id,
          `Get:${part} http://deb.debian.org/debian trixie/main amd64 ${name} [${version}]`,
        );
    }
    const tookMs = Math.round(atMs - began);
    if (wish.harms && row.id === 'base') {
      const item = { what: 'network', name: 'NetworkManager', pid: 777 } as const;
      say({
        type: 'session_changed',
        change: {
          item,
          cause: 'it was restarted by its package’s update, not by this build',
          atMs,
        },
      });
    }
    if (failing === row.id) {
      if (typeof wish.end === 'object') {
        say({
          type: 'step_finished',
          step: row.id,
          outcome: { is: 'failed', error: sampleError(wish.end.code, row.id) },
          tookMs,
        });
      }
      break;
    }
    if (row.id === 'squashfs') {
      say({
        type: 'warned',
        step: row.id,
        message: '2 extended attributes cannot be kept in SquashFS',
      });
    }
    say({ type: 'step_finished', step: row.id, outcome: { is: 'done' }, tookMs });
  }
  say({ type: 'finished', result: resultOf(wish) });
  return events;
}
