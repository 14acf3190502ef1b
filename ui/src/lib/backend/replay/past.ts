/** Builds that have been: what the history is filled with. */

import type { BuildDetail, BuildRow, Comparison } from '../../backend.ts';
import type { Output } from '../../protocol.ts';
import packages from './packages.json';
import { profileText } from './profiles.ts';
import { sampleError, script } from './script.ts';

const DAY = 86_400;

/** The replay's own "now", so that pictures of it do not change from day to day. */
export const NOW = 1_795_276_385;

const row = (
  id: string,
  title: string,
  profile: string,
  ago: number,
  more: Partial<BuildRow>,
): BuildRow => ({
  id,
  title,
  profile,
  state: 'succeeded',
  started: NOW - ago,
  tookMs: 168_000,
  size: 272_629_760,
  code: null,
  iso: `/home/kim/ISOs/${profile}-1.0-trixie-amd64.iso`,
  warnings: 0,
  resumable: false,
  picture: profile,
  ...more,
});

const failed = { size: null, iso: null, resumable: true } as const;

export const past = (): BuildRow[] => [
  row('20261121-142305-minimal-96a0', 'Isosmith Minimal 1.0', 'minimal', 5_400, { warnings: 1 }),
  row('20261120-190112-rescue-1b44', 'Isosmith Rescue 1.0', 'rescue', DAY, {
    tookMs: 241_000,
    size: 418_381_824,
  }),
  row('20261120-183207-rescue-77c1', 'Isosmith Rescue 1.0', 'rescue', DAY + 2_000, {
    ...failed,
    state: 'failed',
    code: 'package_conflict',
    tookMs: 96_000,
  }),
  row('20261118-101500-aurora-0fd2', 'Aurora OS 0.9', 'rescue', 3 * DAY, {
    tookMs: 233_000,
    size: 431_226_880,
    warnings: 2,
  }),
  row('20261117-091500-aurora-8a10', 'Aurora OS 0.9', 'rescue', 4 * DAY, {
    ...failed,
    state: 'cancelled',
    code: 'cancelled',
    tookMs: 41_000,
  }),
  row('20261112-160000-standard-3c9e', 'Isosmith Standard 1.0', 'standard', 9 * DAY, {
    tookMs: 198_000,
    size: 331_350_016,
  }),
  row('20261111-113000-minimal-aa01', 'Isosmith Minimal 1.0', 'minimal', 10 * DAY, {
    ...failed,
    state: 'interrupted',
    code: 'interrupted',
    tookMs: 58_000,
  }),
  row('20261105-080000-minimal-77aa', 'Isosmith Minimal 0.9', 'minimal', 16 * DAY, {
    tookMs: 201_000,
    size: 284_164_096,
  }),
];

/** One of them has its owner's signature. */
const signed = (of: BuildRow): Pick<Output, 'enrolment'> =>
  of.title.startsWith('Aurora')
    ? {
        enrolment: {
          name: 'Aurora OS, Kim Berg',
          sha1: 'd3d12f907e937833362f523ab110ad897fdbdfc8',
          sha256: '9c1f02d37e5b8ac4416f0de2735ba981c6ee70fd2b84915a3d0c68fe57b12a49',
          path: 'EFI/keys/owner.cer',
        },
      }
    : {};

export function detail(of: BuildRow): BuildDetail {
  const chosen = packages.slice(0, 187).map(([name, version, , , size]) => ({
    name: String(name),
    version: String(version),
    size: Number(size),
  }));
  const end =
    of.state === 'failed'
      ? { code: of.code ?? 'internal' }
      : of.state === 'running' || of.state === 'queued'
        ? 'succeeded'
        : of.state;
  const iso = of.iso ?? '';
  const events = script({ build: of.id, profile: of.profile, started: of.started, end, iso });
  const last = events.at(-1);
  const over = of.state !== 'running' && of.state !== 'queued';
  const result = last?.type === 'finished' && over ? last.result : null;
  return {
    ...of,
    toml: profileText(of.profile) ?? '',
    packages: chosen,
    sizes: {
      'filesystem.squashfs': 214e6,
      'initrd.img': 38e6,
      vmlinuz: 12e6,
      'boot files': 8.6e6,
    },
    result:
      result?.is === 'succeeded' && of.size !== null
        ? { ...result, iso: { ...result.iso, size: of.size, ...signed(of) } }
        : result?.is === 'failed'
          ? { is: 'failed', error: sampleError(of.code ?? 'internal', 'packages') }
          : result,
    session: [],
    warned: of.warnings > 0 ? ['2 extended attributes cannot be kept in SquashFS'] : [],
    report: `Isosmith 0.1.0\nBuild ${of.id}\nProfile ${of.profile}\nState ${of.state}\n`,
  };
}

export const comparison = (a: BuildRow, b: BuildRow): Comparison => ({
  spec:
    a.profile === b.profile
      ? [{ path: 'branding.version', a: '"0.9"', b: '"1.0"' }]
      : [
          { path: 'branding.name', a: `"${a.title}"`, b: `"${b.title}"` },
          { path: 'kernel.firmware', a: '[]', b: '["free", "ethernet", "wireless"]' },
          { path: 'software.packages', a: null, b: '"gddrescue"' },
        ],
  packages: [
    { name: 'curl', a: '8.14.1-2', b: '8.14.1-2+deb13u1', grows: 4_096 },
    { name: 'gddrescue', a: null, b: '1.29.1-1', grows: 1_482_752 },
    { name: 'linux-image-amd64', a: '6.12.43-1', b: '6.12.48-1', grows: null },
    { name: 'nano', a: '8.4-1', b: null, grows: -2_892_800 },
  ],
  sizes: [
    { name: 'ISO', a: a.size ?? 0, b: b.size ?? 0 },
    { name: 'filesystem.squashfs', a: 222e6, b: 214e6 },
    { name: 'initrd.img', a: 38e6, b: 38e6 },
  ],
});
