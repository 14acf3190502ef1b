/**
 * The backend of a plain browser. What happens is chosen in the address:
 *
 * - `replay=NAME` a recording of crates/protocol/tests/fixtures, or `demo`, `question`,
 *   `session`, `flood`
 * - `end=CODE` the build fails with this code; `refuse=CODE` it does not even begin
 * - `at=MS` everything until then at once; `hold` and nothing after it
 * - `speed=N` times as fast as it was; 0 for at once
 * - `running` a build is at work already; `service=STATE`; `fresh` nothing was ever built
 */

import type {
  Backend,
  BackendEvents,
  BuildRow,
  ChannelMessage,
  Draft,
  PackageHit,
  ServiceState,
  Settings,
  Totals,
} from '../../backend.ts';
import { type BuildEvent, readLines } from '../../protocol.ts';
import { asText, asTexts, at } from '../../tree.ts';
import { drawSurface } from './drawing.ts';
import * as drafts from './drafts.ts';
import packages from './packages.json';
import { comparison, detail, NOW, past } from './past.ts';
import { PROFILE_NAMES, settle, whole } from './profiles.ts';
import { sampleError, script } from './script.ts';

const recordings = import.meta.glob<string>(
  '../../../../../crates/protocol/tests/fixtures/*.jsonl',
  { query: '?raw', import: 'default' },
);

const LIBRARIES = [
  'libass9',
  'libavcodec61',
  'libavformat61',
  'libdrm2',
  'libopus0',
  'libpulse0',
  'libva2',
  'libvpx9',
  'libx264-164',
];

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

const TABLE = packages.map(([name, version, section, description, size, load, needs]) => ({
  name: String(name),
  version: String(version),
  section: String(section),
  description: String(description),
  size: Number(size),
  load: Number(load),
  needs: Number(needs),
}));

async function recorded(name: string): Promise<BuildEvent[] | null> {
  const key = Object.keys(recordings).find((path) => path.endsWith(`/${name}.jsonl`));
  const load = key === undefined ? undefined : recordings[key];
  return load ? readLines(await load()) : null;
}

interface Live {
  row: BuildRow;
  events: BuildEvent[];
  cancelled: boolean;
  /** Wakes a build that waits for an answer. */
  answered: (() => void) | null;
}

export function replay(query: URLSearchParams): Backend {
  const name = query.get('replay') || 'demo';
  const speed = Number(query.get('speed') ?? '8');
  const until = Number(query.get('at') ?? '0');
  const hold = query.has('hold');
  const live = new Map<string, Live>();
  let rows: BuildRow[] = query.has('fresh') ? [] : past();
  let made = 0;
  let settings: Settings = {
    output: '/home/kim/ISOs',
    mirror: null,
    proxy: null,
    errorMode: 'graceful',
    pace: 'auto',
    cacheLimit: null,
    notifications: true,
    language: query.get('lang') === 'de' ? 'de' : query.has('lang') ? 'en' : 'system',
    theme: (query.get('theme') as Settings['theme'] | null) ?? 'system',
  };
  const fail = (code: string): Promise<never> => Promise.reject(sampleError(code, null));

  function begin(title: string, profile: string, started: number, events: BuildEvent[]): string {
    made += 1;
    const id = `20261121-153000-${profile}-${made.toString(16).padStart(4, '0')}`;
    const row: BuildRow = {
      id,
      title,
      profile,
      state: 'running',
      started,
      tookMs: null,
      size: null,
      code: null,
      iso: null,
      warnings: 0,
      resumable: false,
      picture: profile,
    };
    rows = [row, ...rows];
    live.set(id, { row, events, cancelled: false, answered: null });
    return id;
  }

  function close(build: Live, event: BuildEvent): void {
    if (event.type !== 'finished') return;
    const { result } = event;
    const state = result.is === 'unknown' ? 'failed' : result.is;
    const done: Partial<BuildRow> = {
      state,
      tookMs: event.atMs,
      size: result.is === 'succeeded' ? result.iso.size : null,
      iso: result.is === 'succeeded' ? result.iso.path : null,
      code: result.is === 'failed' ? result.error.code : state === 'succeeded' ? null : state,
      resumable: state !== 'succeeded',
      warnings: build.events.filter((one) => one.type === 'warned').length,
    };
    rows = rows.map((row) => (row.id === build.row.id ? { ...row, ...done } : row));
  }

  async function play(build: Live, from: number, to: (message: ChannelMessage) => void) {
    let clock = until;
    let batch: BuildEvent[] = [];
    const flush = () => {
      if (batch.length > 0) to({ events: batch });
      batch = [];
    };
    for (const event of build.events) {
      if (build.cancelled) {
        const over: BuildEvent = {
          seq: event.seq,
          atMs: event.atMs,
          type: 'finished',
          result: { is: 'cancelled' },
        };
        close(build, over);
        batch.push(over);
        break;
      }
      if (event.atMs > clock && !(until === 0 && speed === 0)) {
        flush();
        if (hold) return;
        if (speed > 0) await sleep(Math.min(2000, (event.atMs - clock) / speed));
        clock = event.atMs;
      }
      if (event.seq >= from) batch.push(event);
      close(build, event);
      if (event.type === 'asked') {
        flush();
        await new Promise<void>((resolve) => {
          build.answered = resolve;
        });
        batch.push({
          seq: event.seq,
          atMs: event.atMs,
          type: 'answered',
          question: event.question,
          choice: build.cancelled ? 'stop' : 'retry',
        });
      }
    }
    flush();
    to({ end: true });
  }

  /** 20,000 lines a second, as a build may well write. */
  async function flood(build: Live, to: (message: ChannelMessage) => void) {
    const seconds = Number(query.get('seconds') ?? '10');
    const [hello, planned] = build.events;
    if (hello && planned) to({ events: [hello, planned] });
    const began = performance.now();
    let sent = 0;
    while (!build.cancelled && performance.now() - began < seconds * 1000) {
      await sleep(40);
      const due = Math.min(seconds * 20_000, (performance.now() - began) * 20);
      const events: BuildEvent[] = [];
      for (; sent < due; sent += 1) {
        events.push({
          seq: sent + 2,
          atMs: Math.round(sent / 20),
          type: 'log',
          step: 'packages',
          stream: 'stdout',
          level: sent % 997 === 0 ? 'warn' : 'debug',
          line: `line ${sent}: Unpacking ${TABLE[sent % TABLE.length]?.name ?? ''} (1.2-3) over (1.2-2) ...`,
        });
      }
      to({ events });
    }
  }

  async function events(title: string, profile: string, iso: string): Promise<BuildEvent[]> {
    const found = await recorded(name);
    if (found) return found;
    const code = query.get('end');
    const plain = code === 'cancelled' || code === 'interrupted';
    return script({
      build: title,
      profile,
      started: NOW,
      end: plain ? code : code ? { code } : 'succeeded',
      asks: name === 'question',
      harms: name === 'session',
      iso,
    });
  }

  const totals = (draft: Draft): Totals => {
    const chosen = asTexts(at(draft.values, 'software.packages'));
    const firmware = asTexts(at(draft.values, 'kernel.firmware')).length;
    const sum = chosen.reduce(
      (all, name) => all + (TABLE.find((one) => one.name === name)?.size ?? 2e6),
      0,
    );
    const installed = 620e6 + sum * 1.3 + firmware * 96e6;
    const compression = asText(at(draft.values, 'image.compression'));
    const share = compression.startsWith('lz4') ? 0.52 : compression.startsWith('xz') ? 0.31 : 0.36;
    return {
      packages: 176 + Math.round(chosen.length * 1.6) + firmware * 4,
      download: installed * 0.29,
      installed,
      iso: installed * share + 60e6,
      seconds: 96 + installed / 14e6,
      free: 74.2e9,
      folder: settings.output,
      exact: false,
    };
  };

  if (query.has('running')) {
    void events('Aurora OS 1.0', 'rescue', '/home/kim/ISOs/aurora-1.0-trixie-amd64.iso').then(
      (list) => begin('Aurora OS 1.0', 'rescue', NOW, list),
    );
  }

  return {
    kind: 'replay',
    startPage: async () => ({
      profiles: PROFILE_NAMES.map((profile) => {
        const values = settle(whole(profile));
        return {
          name: profile,
          title: asText(at(values, 'branding.name')),
          description: asText(at(values, 'profile.description')),
          source: `/usr/share/isosmith/profiles/${profile}/profile.toml`,
          picture: profile,
        };
      }),
      recent: query.has('fresh')
        ? []
        : ['/home/kim/Documents/aurora.toml', '/home/kim/Documents/classroom.toml'],
      unsaved: query.has('unsaved')
        ? drafts.open({ path: '/home/kim/Documents/aurora.toml' })
        : null,
      version: '0.1.0',
      service: {
        state: (query.get('service') as ServiceState['state'] | null) ?? 'ready',
        version: '0.1.0',
      },
    }),
    picture: async (id) =>
      drawSurface(settle(whole(id)), 'grub', 0, { width: 800, height: 450 }).png,
    openDraft: async (from) => drafts.open(from),
    editDraft: async (id, path, value) => drafts.edit(id, path, value),
    editText: async (id, toml) => drafts.editText(id, toml),
    saveDraft: async (id, path) => drafts.save(id, path ?? '/home/kim/Documents/spec.toml'),
    pick: async (kind) => {
      const paths: Record<string, string> = {
        logo: '/home/kim/Pictures/aurora-logo.svg',
        wallpaper: '/home/kim/Pictures/northern-lights.webp',
        deb: '/home/kim/Downloads/tool_1.0_amd64.deb',
        key: '/home/kim/Downloads/example.asc',
        pem: '/home/kim/Documents/keys/db.pem',
        script: '/home/kim/Documents/tidy.sh',
        overlay: '/home/kim/Documents/motd',
        output: '/media/kim/Big/ISOs',
        spec: '/home/kim/Documents/aurora.toml',
        iso: '/home/kim/ISOs/aurora-1.0-trixie-amd64.iso',
      };
      return paths[kind] ?? null;
    },
    totals: async (id) => {
      await sleep(120);
      return totals(drafts.read(id));
    },
    preview: async (id, surface, moment, width, height) =>
      drawSurface(drafts.read(id).values, surface, moment, { width, height }),
    searchPackages: async (id, query_, limit) => {
      const began = performance.now();
      if (query.get('packages') === 'offline')
        return { hits: [], total: 0, took: 0, state: 'offline' };
      if (query.get('packages') === 'loading')
        return { hits: [], total: 0, took: 0, state: 'loading' };
      const chosen = new Set(asTexts(at(drafts.read(id).values, 'software.packages')));
      const words = query_.toLowerCase().split(/\s+/);
      const rank = (one: (typeof TABLE)[number]) => (one.name.startsWith(words[0] ?? '') ? 0 : 1);
      const found = TABLE.filter((one) =>
        words.every((word) => `${one.name} ${one.description}`.toLowerCase().includes(word)),
      ).sort((a, b) => rank(a) - rank(b));
      const hits = found
        .slice(0, limit)
        .map((one): PackageHit => ({ ...one, installed: chosen.has(one.name) }));
      return { hits, total: found.length, took: performance.now() - began, state: 'ready' };
    },
    packageCost: async (_id, wanted) => {
      const index = TABLE.findIndex((one) => one.name === wanted);
      const own = TABLE[index];
      const along = TABLE.slice(index + 1, index + 1 + Math.min(9, own?.needs ?? 0));
      const all = [...(own ? [own] : []), ...along];
      return {
        packages: LIBRARIES.slice(0, along.length),
        download: all.reduce((sum, one) => sum + one.load, 0),
        installed: all.reduce((sum, one) => sum + one.size, 0),
      };
    },
    // The same for every password: nobody logs in to what is only shown.
    hashPassword: async () => `$6$replay$${'x'.repeat(86)}`,
    plan: async (id) => {
      const draft = drafts.read(id);
      const steps = script({ build: '', profile: '', started: 0, end: 'succeeded', iso: '' })[1];
      const sum = totals(draft);
      const suite = asText(at(draft.values, 'base.suite'));
      return {
        lines: [
          `Load about ${sum.packages ?? 0} packages of Debian ${suite} from the nearest mirror, and check each signature.`,
          'Unpack and configure them apart from this system, in namespaces of their own.',
          `Set language ${asTexts(at(draft.values, 'region.locales'))[0] ?? ''}, time zone ${asText(at(draft.values, 'region.timezone'))} and the host name ${asText(at(draft.values, 'region.hostname'))}.`,
          `Write the name “${asText(at(draft.values, 'branding.name'))}” and its boot menus.`,
          `Pack everything with ${asText(at(draft.values, 'image.compression'))}, write the ISO, and read it back to check it.`,
        ],
        command: `isosmith build ${draft.path ?? draft.profile ?? 'profile.toml'} --output ${settings.output}`,
        steps: steps?.type === 'planned' ? steps.steps : [],
      };
    },
    startBuild: async (id, output) => {
      const refuse = query.get('refuse');
      if (refuse) return fail(refuse);
      const draft = drafts.read(id);
      const product = asText(at(draft.values, 'branding.id'));
      const iso = `${output}/${product}-${asText(at(draft.values, 'branding.version'))}-${asText(at(draft.values, 'base.suite'))}-amd64.iso`;
      const list = await events(draft.title, draft.profile ?? product, iso);
      return begin(draft.title, draft.profile ?? product, NOW, list);
    },
    attach: async (id, from, to) => {
      const build = live.get(id);
      if (build) {
        void (name === 'flood' ? flood(build, to) : play(build, from, to));
        return;
      }
      const old = rows.find((row) => row.id === id);
      if (!old) return fail('no_such_build');
      const full = detail(old);
      const end = old.code ? { code: old.code } : 'succeeded';
      const state = old.state === 'cancelled' || old.state === 'interrupted' ? old.state : end;
      const list = script({
        build: id,
        profile: old.profile,
        started: old.started,
        end: state,
        iso: full.iso ?? '',
      });
      to({ events: list.filter((event) => event.seq >= from) });
      to({ end: true });
    },
    cancelBuild: async (id) => {
      const build = live.get(id);
      if (!build) return fail('wrong_state');
      build.cancelled = true;
      build.answered?.();
    },
    answer: async (id, _question, choice) => {
      const build = live.get(id);
      if (!build) return fail('wrong_state');
      if (choice === 'stop') build.cancelled = true;
      build.answered?.();
    },
    resumeBuild: async (id) => {
      const old = rows.find((row) => row.id === id);
      if (!old) return fail('no_such_build');
      const list = script({
        build: id,
        profile: old.profile,
        started: NOW,
        end: 'succeeded',
        iso: old.iso ?? `/home/kim/ISOs/${old.profile}-1.0-trixie-amd64.iso`,
      });
      const row: BuildRow = { ...old, state: 'running', code: null };
      rows = rows.map((one) => (one.id === id ? row : one));
      live.set(id, { row, events: list, cancelled: false, answered: null });
    },
    builds: async () => rows,
    build: async (id) => {
      const row = rows.find((one) => one.id === id);
      if (!row) return fail('no_such_build');
      const full = detail(row);
      const last = live.get(id)?.events.at(-1);
      return last?.type === 'finished' && row.state === 'succeeded'
        ? { ...full, result: last.result }
        : full;
    },
    deleteBuild: async (id) => {
      rows = rows.filter((row) => row.id !== id);
    },
    compare: async (a, b) => {
      const [first, second] = [a, b].map((id) => rows.find((row) => row.id === id));
      return first && second ? comparison(first, second) : fail('no_such_build');
    },
    checkDownload: async (_path, algorithm, sum) =>
      algorithm === 'sha256' && sum.startsWith('0ab7f8d1'),
    tryIt: async () => undefined,
    showInFolder: async () => undefined,
    keepOpen: async () => undefined,
    closeWindow: async () => undefined,
    settings: async () => settings,
    setSettings: async (next) => {
      settings = next;
    },
    on: <E extends keyof BackendEvents>(event: E, hear: (payload: BackendEvents[E]) => void) => {
      globalThis.addEventListener(`isosmith:${event}`, (heard) => {
        hear((heard as CustomEvent<BackendEvents[E]>).detail);
      });
    },
  };
}
