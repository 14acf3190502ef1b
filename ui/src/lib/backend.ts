/**
 * All that the page asks of Rust, in one interface. Two implementations: `tauri` (the real
 * one) and `replay` (a plain browser: recorded events and a small stand-in for the rest).
 *
 * Every method rejects with an ErrorView; `readError` takes whatever comes.
 */

import type {
  BuildDetail,
  BuildRow,
  Comparison,
  Draft,
  DraftSource,
  Firmware,
  PackageCost,
  PackageHits,
  PickKind,
  Plan,
  Preview,
  Settings,
  StartPage,
  Surface,
  Totals,
} from './generated/backend.ts';
import type { BuildEvent } from './protocol.ts';
import type { Json } from './tree.ts';

// The types are made from crates/studio/src/model.
export type * from './generated/backend.ts';

export const SURFACES: readonly Surface[] = [
  'grub',
  'isolinux',
  'splash',
  'password',
  'login',
  'desktop_light',
  'desktop_dark',
  'installer',
  'slides',
];

/** What a build's channel brings: events in batches, then that there are no more. */
export type ChannelMessage = { events: BuildEvent[] } | { end: true };

export interface BackendEvents {
  /** The window is to close while a build runs. */
  closing: null;
  /** Files were dropped onto the window. */
  dropped: { paths: string[] };
  /** A second start was given a file. */
  open: { path: string };
}

export interface Backend {
  readonly kind: 'tauri' | 'replay';
  startPage(): Promise<StartPage>;
  picture(id: string): Promise<Preview['png']>;
  openDraft(from: DraftSource): Promise<Draft>;
  /**
   * `value` is the field as it shall read in `values` afterwards; null goes back to the base.
   * For lists that add to the parent's, Rust works out what to add and what to take out.
   */
  editDraft(id: string, path: string, value: Json): Promise<Draft>;
  editText(id: string, toml: string): Promise<Draft>;
  saveDraft(id: string, path: string | null): Promise<Draft | null>;
  pick(kind: PickKind): Promise<string | null>;
  totals(id: string): Promise<Totals>;
  /** `moment`: thousandths of the start that are done, or which slide. */
  preview(
    id: string,
    surface: Surface,
    moment: number,
    width: number,
    height: number,
  ): Promise<Preview>;
  searchPackages(id: string, query: string, limit: number): Promise<PackageHits>;
  packageCost(id: string, name: string): Promise<PackageCost>;
  plan(id: string): Promise<Plan>;
  /** What a spec has in the place of a password. */
  hashPassword(password: string): Promise<string>;
  startBuild(id: string, output: string): Promise<string>;
  attach(build: string, from: number, to: (message: ChannelMessage) => void): Promise<void>;
  cancelBuild(build: string): Promise<void>;
  answer(build: string, question: number, choice: 'retry' | 'stop'): Promise<void>;
  resumeBuild(build: string): Promise<void>;
  builds(): Promise<BuildRow[]>;
  build(id: string): Promise<BuildDetail>;
  deleteBuild(id: string): Promise<void>;
  compare(a: string, b: string): Promise<Comparison>;
  checkDownload(path: string, algorithm: string, sum: string): Promise<boolean>;
  tryIt(path: string, firmware: Firmware): Promise<void>;
  showInFolder(path: string): Promise<void>;
  /** The person was asked about the build, and closes nothing: the next time they are asked again. */
  keepOpen(): Promise<void>;
  /** Ends the window; the build goes on. */
  closeWindow(): Promise<void>;
  settings(): Promise<Settings>;
  setSettings(settings: Settings): Promise<void>;
  on<E extends keyof BackendEvents>(event: E, hear: (payload: BackendEvents[E]) => void): void;
}
