/** Where the person is, and what concerns the whole window. */

import type { Backend, Settings, StartPage } from '../backend.ts';
import type { SectionId } from '../fields/table.ts';
import { speak, t } from '../i18n.svelte.ts';
import { type ErrorView, readError } from '../protocol.ts';
import { errorRow, knownCode } from '../errors.ts';
import { maybe } from '../i18n.svelte.ts';
import { wear } from '../theme.ts';

export type Place =
  | { at: 'start' }
  | { at: 'describe'; section: SectionId }
  | { at: 'spec' }
  | { at: 'review' }
  | { at: 'build' }
  | { at: 'result'; id: string }
  | { at: 'history' }
  | { at: 'compare'; a: string; b: string }
  | { at: 'settings' };

export interface Toast {
  id: number;
  tone: 'plain' | 'bad';
  text: string;
}

class App {
  place = $state.raw<Place>({ at: 'start' });
  /** Counts moves from place to place, so that the heading gets the focus. */
  moves = $state(0);
  /** A field that wants the focus once its section is open. */
  wanted = $state<string | null>(null);
  start = $state.raw<StartPage | null>(null);
  settings = $state.raw<Settings | null>(null);
  toasts = $state.raw<Toast[]>([]);
  #backend: Backend | null = null;
  #toast = 0;

  get backend(): Backend {
    if (!this.#backend) throw new Error('the backend is chosen first');
    return this.#backend;
  }

  async begin(backend: Backend): Promise<void> {
    this.#backend = backend;
    this.take(await backend.settings());
    this.start = await backend.startPage();
  }

  take(settings: Settings): void {
    this.settings = settings;
    wear(settings.theme);
    speak(settings.language, navigator.languages);
  }

  async set(change: Partial<Settings>): Promise<void> {
    if (!this.settings) return;
    const next = { ...this.settings, ...change };
    this.take(next);
    await this.trying(() => this.backend.setSettings(next));
  }

  go(place: Place): void {
    this.place = place;
    this.moves += 1;
  }

  goField(section: SectionId, path: string | null): void {
    this.go({ at: 'describe', section });
    this.wanted = path;
  }

  say(text: string, tone: Toast['tone'] = 'plain'): void {
    this.#toast += 1;
    const toast = { id: this.#toast, tone, text };
    this.toasts = [...this.toasts.slice(-2), toast];
    setTimeout(() => this.dismiss(toast.id), tone === 'bad' ? 12_000 : 4_000);
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  complain(error: ErrorView): void {
    const code = knownCode(error.code);
    const words = `${maybe(`error.${code}.what`) ?? ''}. ${maybe(`error.${code}.todo`) ?? ''}`;
    this.say(words, errorRow(code).tone === 'calm' ? 'plain' : 'bad');
  }

  /** Runs a command; says so where it fails. */
  async trying<T>(command: () => Promise<T>): Promise<T | undefined> {
    try {
      return await command();
    } catch (thrown) {
      this.complain(readError(thrown));
      return undefined;
    }
  }

  async copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.say(t('app.copied'));
    } catch {
      this.say(t('app.failed', { what: t('app.copy') }), 'bad');
    }
  }
}

export const app = new App();
