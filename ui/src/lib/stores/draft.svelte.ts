/** The spec that is open: edits, undo, totals. */

import type { Draft, DraftSource, Totals } from '../backend.ts';
import type { SectionId } from '../fields/table.ts';
import { FIELDS } from '../fields/table.ts';
import { isChanged } from '../fields/marks.ts';
import { readError } from '../protocol.ts';
import { at, type Json, put } from '../tree.ts';
import { back, changed, forward, type Move, noUndo } from '../undo.ts';
import { t } from '../i18n.svelte.ts';
import { app } from './app.svelte.ts';

interface Edit {
  path: string;
  value: Json;
  at: number;
}

const TOTALS_WAIT_MS = 150;
/** Until totals are asked for again that the package lists were not there for yet. */
const TOTALS_AGAIN_MS = 1_000;

class DraftStore {
  draft = $state.raw<Draft | null>(null);
  undos = $state.raw(noUndo());
  totals = $state.raw<Totals | null>(null);
  /** Whether the totals are of an earlier state. */
  stale = $state(true);
  visited = $state.raw<ReadonlySet<SectionId>>(new Set());
  /** Counts changes, for what must follow every one of them. */
  revision = $state(0);
  /** Answers whether unsaved changes may go, while that is being asked. */
  leaving = $state.raw<((leave: boolean) => void) | null>(null);
  #savedToml = $state('');
  #queue: Edit[] = [];
  #pumping: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  get unsaved(): boolean {
    return this.draft !== null && this.draft.toml !== this.#savedToml;
  }

  get changes(): number {
    const { draft } = this;
    return draft ? FIELDS.filter((field) => isChanged(draft, field.path)).length : 0;
  }

  /** Opens another spec; false where it cannot be, or what is open shall stay. */
  async open(from: DraftSource): Promise<boolean> {
    if (this.unsaved && !(await this.#mayLeave())) return false;
    const draft = await app.trying(() => app.backend.openDraft(from));
    if (!draft) return false;
    this.adopt(draft);
    return true;
  }

  adopt(draft: Draft): void {
    this.undos = noUndo();
    this.visited = new Set();
    this.totals = null;
    this.#queue = [];
    this.#savedToml = draft.toml;
    this.#take(draft);
  }

  visit(section: SectionId): void {
    if (!this.visited.has(section)) this.visited = new Set([...this.visited, section]);
  }

  /** Changes a field; null goes back to the profile's value. */
  edit(path: string, value: Json): void {
    if (!this.draft) return;
    this.#show(path, value);
    const last = this.#queue.at(-1);
    const edit = { path, value, at: performance.now() };
    if (last?.path === path && this.#queue.length > 1) this.#queue[this.#queue.length - 1] = edit;
    else this.#queue.push(edit);
    void this.#pump();
  }

  async editText(toml: string): Promise<void> {
    await this.#pump();
    const { draft } = this;
    if (!draft || draft.toml === toml) return;
    const next = await app.trying(() => app.backend.editText(draft.id, toml));
    if (!next) return;
    this.undos = changed(this.undos, draft.toml, '#text', performance.now());
    this.#take(next);
  }

  undo(): Promise<void> {
    return this.#move(back);
  }

  redo(): Promise<void> {
    return this.#move(forward);
  }

  /** Writes the spec file; asks for a place where it has none yet. */
  async save(): Promise<boolean> {
    await this.#pump();
    const { draft } = this;
    if (!draft) return false;
    const saved = await app.trying(() => app.backend.saveDraft(draft.id, draft.path));
    if (!saved) return false;
    this.#savedToml = saved.toml;
    this.#take(saved);
    app.say(t('app.saved'));
    return true;
  }

  #mayLeave(): Promise<boolean> {
    return new Promise((answer) => {
      this.leaving = (leave) => {
        this.leaving = null;
        answer(leave);
      };
    });
  }

  async #move(step: (undo: typeof this.undos, now: string) => Move | null): Promise<void> {
    await this.#pump();
    const { draft } = this;
    const move = draft && step(this.undos, draft.toml);
    if (!draft || !move) return;
    const next = await app.trying(() => app.backend.editText(draft.id, move.toml));
    if (!next) return;
    this.undos = move.undo;
    this.#take(next);
  }

  /** What a person changes is on the page at once, not when Rust has answered. */
  #show(path: string, value: Json): void {
    const { draft } = this;
    if (!draft) return;
    const shown = value === null ? at(draft.base, path) : value;
    const own = value === null || draft.own.includes(path) ? draft.own : [...draft.own, path];
    this.draft = { ...draft, own, values: put(draft.values, path, shown) };
  }

  #pump(): Promise<void> {
    this.#pumping ??= this.#send().finally(() => {
      this.#pumping = null;
    });
    return this.#pumping;
  }

  async #send(): Promise<void> {
    for (let edit = this.#queue[0]; edit && this.draft; edit = this.#queue[0]) {
      const { id, toml } = this.draft;
      try {
        const next = await app.backend.editDraft(id, edit.path, edit.value);
        this.#queue.shift();
        this.undos = changed(this.undos, toml, edit.path, edit.at);
        this.#take(next);
      } catch (thrown) {
        this.#queue.shift();
        app.complain(readError(thrown));
      }
    }
  }

  #take(draft: Draft): void {
    this.draft = draft;
    this.#queue.forEach((edit) => this.#show(edit.path, edit.value));
    this.revision += 1;
    this.#count();
  }

  #count(): void {
    this.stale = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#total(), TOTALS_WAIT_MS);
  }

  async #total(): Promise<void> {
    const { draft, revision } = this;
    if (!draft) return;
    const totals = await app.trying(() => app.backend.totals(draft.id));
    if (!totals || this.revision !== revision) return;
    this.totals = totals;
    this.stale = totals.packages === null && draft.problems.length === 0;
    if (this.stale) this.#timer = setTimeout(() => void this.#total(), TOTALS_AGAIN_MS);
  }
}

export const spec = new DraftStore();
