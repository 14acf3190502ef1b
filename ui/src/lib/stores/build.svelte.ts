/** The build that the window looks at: its events, folded once per frame. */

import type { ChannelMessage } from '../backend.ts';
import { type Eta, noEta, settle } from '../eta.ts';
import { everything, Log, type LogFilter, type LogLine } from '../log.ts';
import { type BuildEvent, type ErrorView, type Metrics, readError } from '../protocol.ts';
import { apply, type BuildView, emptyView, leftMs } from '../view.ts';
import { app } from './app.svelte.ts';

/** Points of a chart; one a second. */
const SAMPLES = 90;
/** How long a hidden page waits between two looks. */
const HIDDEN_MS = 250;
const REATTACH_MS = 2_000;
/** Between two estimates of the time left, in the build's own time. */
const SETTLE_MS = 500;

class BuildStore {
  id = $state<string | null>(null);
  title = $state('');
  view = $state.raw<BuildView>(emptyView());
  eta = $state.raw<Eta>(noEta());
  samples = $state.raw<Metrics[]>([]);
  /** Counts looks at the log, which is not reactive itself. */
  looks = $state(0);
  /** Why it could not even begin. */
  refused = $state.raw<ErrorView | null>(null);
  starting = $state(false);
  watched = false;
  cancelling = $state(false);
  /** Whether the stream broke off before the build's end. */
  lost = $state(false);
  log = new Log();
  filter = $state.raw<LogFilter>(everything);
  #fold = emptyView();
  #queue: BuildEvent[] = [];
  #nextSeq = 0;
  #scheduled = false;
  #settledAt = 0;
  /** Tells streams apart: only the newest one counts. */
  #stream = 0;

  get running(): boolean {
    return this.id !== null && this.view.result === null;
  }

  async start(draft: { id: string; title: string }, output: string): Promise<void> {
    this.#clear(draft.title);
    this.starting = true;
    try {
      const id = await app.backend.startBuild(draft.id, output);
      this.starting = false;
      await this.attach(id, draft.title);
    } catch (thrown) {
      this.starting = false;
      this.refused = readError(thrown);
    }
  }

  async resume(id: string, title: string): Promise<void> {
    this.#clear(title);
    this.starting = true;
    try {
      await app.backend.resumeBuild(id);
      this.starting = false;
      await this.attach(id, title);
    } catch (thrown) {
      this.starting = false;
      this.refused = readError(thrown);
    }
  }

  /** Shows a build; `watched` when its end shall lead to its result by itself. */
  async attach(id: string, title: string, watched = true): Promise<void> {
    this.#clear(title);
    this.id = id;
    this.watched = watched;
    await this.#listen(id);
  }

  async cancel(): Promise<void> {
    const { id } = this;
    if (id === null) return;
    this.cancelling = true;
    await app.trying(() => app.backend.cancelBuild(id));
  }

  async answer(choice: 'retry' | 'stop'): Promise<void> {
    const { id } = this;
    const question = this.view.question;
    if (id === null || !question) return;
    await app.trying(() => app.backend.answer(id, question.number, choice));
  }

  /** Shows only some of the log. */
  sift(filter: LogFilter): void {
    this.filter = filter;
    this.log.filter(filter);
    this.looks += 1;
  }

  #clear(title: string): void {
    this.#stream += 1;
    this.#fold = emptyView();
    this.#queue = [];
    this.#nextSeq = 0;
    this.#settledAt = 0;
    this.id = null;
    this.title = title;
    this.view = emptyView();
    this.eta = noEta();
    this.samples = [];
    this.log = new Log();
    this.filter = everything;
    this.refused = null;
    this.cancelling = false;
    this.lost = false;
    this.looks += 1;
  }

  async #listen(id: string): Promise<void> {
    this.#stream += 1;
    const stream = this.#stream;
    const hear = (message: ChannelMessage) => {
      if (stream !== this.#stream) return;
      if ('events' in message) {
        this.lost = false;
        for (const event of message.events) this.#queue.push(event);
        this.#schedule();
        return;
      }
      this.#drain();
      if (!this.#fold.result) this.#reattach(id, stream);
    };
    try {
      await app.backend.attach(id, this.#nextSeq, hear);
    } catch (thrown) {
      if (stream === this.#stream) this.refused = readError(thrown);
    }
  }

  #reattach(id: string, stream: number): void {
    this.lost = true;
    setTimeout(() => {
      if (stream === this.#stream) void this.#listen(id);
    }, REATTACH_MS);
  }

  #settle(): void {
    this.#settledAt = this.#fold.atMs;
    this.eta = settle(this.eta, this.#fold.atMs, leftMs(this.#fold));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Frames do not come to a window that nobody sees.
    if (document.hidden) setTimeout(() => this.#drain(), HIDDEN_MS);
    else requestAnimationFrame(() => this.#drain());
  }

  #drain(): void {
    this.#scheduled = false;
    const events = this.#queue;
    if (events.length === 0) return;
    this.#queue = [];
    const lines: LogLine[] = [];
    const metrics: Metrics[] = [];
    for (const event of events) {
      // A stream that was attached anew may repeat what is known.
      this.#nextSeq = Math.max(this.#nextSeq, event.seq + 1);
      if (event.type === 'log' && !this.#fold.result) lines.push(event);
      if (event.type === 'metrics') metrics.push(event.metrics);
      apply(this.#fold, event);
      // Also while catching up, so that a build that is found again tells its time at once.
      if (this.#fold.atMs - this.#settledAt >= SETTLE_MS) this.#settle();
    }
    if (lines.length > 0) this.log.add(lines);
    if (metrics.length > 0) this.samples = [...this.samples, ...metrics].slice(-SAMPLES);
    this.view = { ...this.#fold, steps: [...this.#fold.steps] };
    this.looks += 1;
  }
}

export const build = new BuildStore();
