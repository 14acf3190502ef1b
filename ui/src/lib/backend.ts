/**
 * All that the page asks of Rust, in one interface. Two implementations: `tauri` (the real
 * one) and `replay` (a plain browser: recorded events and a small stand-in for the rest).
 *
 * Every method rejects with an ErrorView; `readError` takes whatever comes.
 */

import type { BuildEvent, BuildResult, SessionChange, StepInfo } from './protocol.ts';
import type { Json, Tree } from './tree.ts';

export interface ProfileCard {
  name: string;
  title: string;
  description: string;
  /** Path of the profile. */
  source: string;
  /** Asset id for `picture`; null where the profile has none. */
  picture: string | null;
}

/** The system service that builds with the rights that the window has not. */
export interface ServiceState {
  state: 'ready' | 'missing' | 'other_version' | 'no_agent';
  version: string | null;
}

export interface StartPage {
  profiles: ProfileCard[];
  /** Paths of spec files, newest first. */
  recent: string[];
  /** What was open when the window went away unasked. */
  unsaved: Draft | null;
  version: string;
  service: ServiceState;
}

export interface Problem {
  /** The field, such as `software.packages[3]`; empty for the text as a whole. */
  path: string;
  message: string;
  fix: { label: string; value: Json } | null;
}

export interface Draft {
  id: string;
  title: string;
  /** Its file; null before it was ever saved. */
  path: string | null;
  /** The profile it stands on. */
  profile: string | null;
  /** The person's own changes as a profile text: what `saveDraft` writes. */
  toml: string;
  /** The merged profile in the shape of profiles/schema.json. */
  values: Tree;
  /** The same without the person's own changes. */
  base: Tree;
  /**
   * Paths that the person's own text sets. What merely follows from them (a volume label from
   * a name) differs from `base`, too, but is nobody's change.
   */
  own: string[];
  problems: Problem[];
}

export type DraftSource =
  { profile: string } | { path: string } | { iso: string } | { text: string };

export type PickKind =
  'logo' | 'wallpaper' | 'deb' | 'key' | 'script' | 'overlay' | 'output' | 'spec' | 'iso';

/** Bytes everywhere; null while it is not known. */
export interface Totals {
  packages: number | null;
  download: number | null;
  installed: number | null;
  iso: number | null;
  seconds: number | null;
  free: number;
  /** Where the ISO will go. */
  folder: string;
  /** Whether the numbers come from a solved list of packages. */
  exact: boolean;
}

export type Surface = 'grub' | 'isolinux';
export const SURFACES: readonly Surface[] = ['grub', 'isolinux'];

export interface PreviewWarning {
  severity: 'warning' | 'error';
  field: string;
  message: string;
}

export interface Preview {
  /** An address, or the bytes of a PNG. */
  png: string | ArrayBuffer | number[];
  warnings: PreviewWarning[];
}

export interface PackageHit {
  name: string;
  version: string;
  section: string;
  description: string;
  /** Installed, in bytes. */
  size: number;
  /** Whether the spec already brings it. */
  installed: boolean;
}

export interface PackageHits {
  hits: PackageHit[];
  total: number;
  /** Milliseconds. */
  took: number;
  state: 'ready' | 'loading' | 'offline';
}

export interface PackageCost {
  /** What it brings along. */
  packages: string[];
  download: number;
  installed: number;
}

export interface Plan {
  /** What will happen, in plain words. */
  lines: string[];
  /** The same build on the command line. */
  command: string;
  steps: StepInfo[];
}

export type BuildState =
  'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted';

export interface BuildRow {
  id: string;
  title: string;
  profile: string;
  state: BuildState;
  /** Seconds since 1970. */
  started: number;
  tookMs: number | null;
  /** Of the ISO, in bytes. */
  size: number | null;
  /** Why it did not succeed. */
  code: string | null;
  /** The ISO, while it is still there. */
  iso: string | null;
  warnings: number;
  resumable: boolean;
  picture: string | null;
}

export interface PackageLine {
  name: string;
  version: string;
  /** Installed, in bytes. */
  size: number;
}

export interface BuildDetail extends BuildRow {
  toml: string;
  packages: PackageLine[];
  /** Where the room in the image goes: name to bytes. */
  sizes: Record<string, number>;
  result: BuildResult | null;
  session: SessionChange[];
  warned: string[];
  /** The whole report as text. */
  report: string;
}

export interface Comparison {
  /** Fields of the spec that differ. */
  spec: { path: string; a: string | null; b: string | null }[];
  /** Packages whose version differs; null where one build has not got it. */
  packages: { name: string; a: string | null; b: string | null }[];
  sizes: { name: string; a: number; b: number }[];
}

export type ThemeName = 'system' | 'light' | 'dark';
export type LanguageName = 'system' | 'en' | 'de';

export interface Settings {
  output: string;
  mirror: string | null;
  proxy: string | null;
  errorMode: 'graceful' | 'strict';
  notifications: boolean;
  language: LanguageName;
  theme: ThemeName;
}

export type Firmware = 'bios' | 'uefi' | 'secure-boot';

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
  preview(id: string, surface: Surface, width: number, height: number): Promise<Preview>;
  searchPackages(id: string, query: string, limit: number): Promise<PackageHits>;
  packageCost(id: string, name: string): Promise<PackageCost>;
  plan(id: string): Promise<Plan>;
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
  /** Ends the window; the build goes on. */
  closeWindow(): Promise<void>;
  settings(): Promise<Settings>;
  setSettings(settings: Settings): Promise<void>;
  on<E extends keyof BackendEvents>(event: E, hear: (payload: BackendEvents[E]) => void): void;
}
