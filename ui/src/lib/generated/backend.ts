/* Made from crates/studio/src/model by `cargo xtask generate`. Not to be edited. */

import type { BuildResult, ErrorMode, Pace, SessionChange, StepInfo } from '../protocol.ts';
import type { Json, Tree } from '../tree.ts';

/**
 * A profile to begin with.
 */
export type ProfileCard = {
/**
 * What `extends` calls it.
 */
name: string,
/**
 * Its name for people.
 */
title: string,
/**
 * One or two sentences.
 */
description: string,
/**
 * Path of the profile.
 */
source: string,
/**
 * What to ask the `picture` command for; `null` where nothing can be drawn.
 */
picture: string | null, };

/**
 * Whether the service can be asked to build.
 */
export type ServiceWord = "ready" | "missing" | "other_version" | "no_agent";

/**
 * The system service that builds with the rights that the window has not.
 */
export type ServiceState = {
/**
 * Whether it can be asked to build.
 */
state: ServiceWord,
/**
 * Its version, where it says one.
 */
version: string | null, };

/**
 * What the first page shows.
 */
export type StartPage = {
/**
 * Profiles to begin with.
 */
profiles: Array<ProfileCard>,
/**
 * Paths of spec files, newest first.
 */
recent: Array<string>,
/**
 * What was open when the window went away unasked.
 */
unsaved: Draft | null,
/**
 * Isosmith's version.
 */
version: string,
/**
 * Whether builds can be started.
 */
service: ServiceState, };

/**
 * What a button does about a problem: it sets the whole field in which the problem is, such as
 * `software.packages` for `software.packages[3]`.
 */
export type Fix = {
/**
 * The button's word: what the field becomes.
 */
label: string,
/**
 * What the field becomes; `null` goes back to the profile's value.
 */
value: Json, };

/**
 * Something that keeps a draft from being built.
 */
export type Problem = {
/**
 * The field, such as `software.packages[3]`; empty for the text as a whole.
 */
path: string,
/**
 * What is wrong and what to do about it.
 */
message: string,
/**
 * What a button can do about it.
 */
fix: Fix | null, };

/**
 * A profile at work.
 */
export type Draft = {
/**
 * Names it while the window is open, and in the folder of unsaved drafts.
 */
id: string,
/**
 * The product's name and version.
 */
title: string,
/**
 * Its file; `null` before it was ever saved.
 */
path: string | null,
/**
 * The profile it stands on.
 */
profile: string | null,
/**
 * The person's own changes as a profile text: what is saved.
 */
toml: string,
/**
 * The merged profile in the shape of `profiles/schema.json`.
 */
values: Tree,
/**
 * The same without the person's own changes.
 */
base: Tree,
/**
 * Paths that the person's own text sets. What merely follows from them (a volume label
 * from a name) differs from `base`, too, but is nobody's change.
 */
own: Array<string>,
/**
 * Everything that keeps it from being built.
 */
problems: Array<Problem>, };

/**
 * What a draft is made from.
 */
export type DraftSource = { "profile": string } | { "path": string } | { "iso": string } | { "text": string };

/**
 * What a person is asked to choose.
 */
export type PickKind = "logo" | "wallpaper" | "deb" | "key" | "pem" | "script" | "overlay" | "output" | "spec" | "iso";

/**
 * What a draft costs; `null` while it is not known.
 */
export type Totals = {
/**
 * How many packages.
 */
packages: number | null,
/**
 * To load, in bytes.
 */
download: number | null,
/**
 * Unpacked, in bytes.
 */
installed: number | null,
/**
 * The ISO, in bytes.
 */
iso: number | null,
/**
 * The build's time, in seconds.
 */
seconds: number | null,
/**
 * Left where the ISO will go, in bytes.
 */
free: number,
/**
 * Where the ISO will go.
 */
folder: string,
/**
 * Whether the numbers come from a solved list of packages.
 */
exact: boolean, };

/**
 * What a preview shows.
 */
export type Surface = "grub" | "isolinux" | "splash" | "password" | "login" | "desktop_light" | "desktop_dark" | "installer" | "slides";

/**
 * How bad a warning is.
 */
export type Severity = "warning" | "error";

/**
 * What a surface cannot show well.
 */
export type PreviewWarning = {
/**
 * How bad.
 */
severity: Severity,
/**
 * The field to change, such as `branding.accent`.
 */
field: string,
/**
 * In one or two sentences.
 */
message: string, };

/**
 * A drawn surface.
 */
export type Preview = {
/**
 * A PNG.
 */
png: string | ArrayBuffer | number[],
/**
 * What the surface cannot show well.
 */
warnings: Array<PreviewWarning>, };

/**
 * A package that a search found.
 */
export type PackageHit = {
/**
 * Its name.
 */
name: string,
/**
 * The version that would be installed.
 */
version: string,
/**
 * The archive's section, such as `editors`.
 */
section: string,
/**
 * One line.
 */
description: string,
/**
 * Installed, in bytes.
 */
size: number,
/**
 * Whether the spec already brings it.
 */
installed: boolean, };

/**
 * Whether there is an index to search in.
 */
export type SearchState = "ready" | "loading" | "offline";

/**
 * What a search found.
 */
export type PackageHits = {
/**
 * The best, best first.
 */
hits: Array<PackageHit>,
/**
 * How many matched.
 */
total: number,
/**
 * The search's time, in milliseconds.
 */
took: number,
/**
 * Whether there is an index to search in.
 */
state: SearchState, };

/**
 * What one more package would bring along.
 */
export type PackageCost = {
/**
 * Names, its own among them.
 */
packages: Array<string>,
/**
 * To load, in bytes.
 */
download: number,
/**
 * Installed, in bytes.
 */
installed: number, };

/**
 * What a build of a draft will do.
 */
export type Plan = {
/**
 * In plain words.
 */
lines: Array<string>,
/**
 * The same build on the command line.
 */
command: string,
/**
 * The parts of the build, as far as they are known before it begins.
 */
steps: StepInfo[], };

/**
 * How far a build is.
 */
export type BuildState = "queued" | "running" | "succeeded" | "failed" | "cancelled" | "interrupted";

/**
 * A build in a list.
 */
export type BuildRow = {
/**
 * Which.
 */
id: string,
/**
 * The product's name and version.
 */
title: string,
/**
 * The profile's name.
 */
profile: string,
/**
 * How far.
 */
state: BuildState,
/**
 * Seconds since 1970.
 */
started: number,
/**
 * Its time, in milliseconds, once over.
 */
tookMs: number | null,
/**
 * Of the ISO, in bytes.
 */
size: number | null,
/**
 * Why it did not succeed: a [`Code`](isosmith_protocol::Code) as on the wire.
 */
code: string | null,
/**
 * Path of the ISO, while it is still there.
 */
iso: string | null,
/**
 * How many warnings.
 */
warnings: number,
/**
 * Whether it can be gone on with.
 */
resumable: boolean,
/**
 * What to ask the `picture` command for.
 */
picture: string | null, };

/**
 * A package of an image.
 */
export type PackageLine = {
/**
 * Its name.
 */
name: string,
/**
 * Its version.
 */
version: string,
/**
 * Installed, in bytes; 0 where the list does not say.
 */
size: number, };

/**
 * A build with everything that is known about it.
 */
export type BuildDetail = {
/**
 * The profile that was built.
 */
toml: string,
/**
 * What is in the image.
 */
packages: Array<PackageLine>,
/**
 * Where the room in the image goes: name to bytes.
 */
sizes: Record<string, number>,
/**
 * How it ended.
 */
result: BuildResult | null,
/**
 * What changed in the person's session meanwhile.
 */
session: SessionChange[],
/**
 * What its owner should know.
 */
warned: Array<string>,
/**
 * The whole report as text.
 */
report: string,
/**
 * Which.
 */
id: string,
/**
 * The product's name and version.
 */
title: string,
/**
 * The profile's name.
 */
profile: string,
/**
 * How far.
 */
state: BuildState,
/**
 * Seconds since 1970.
 */
started: number,
/**
 * Its time, in milliseconds, once over.
 */
tookMs: number | null,
/**
 * Of the ISO, in bytes.
 */
size: number | null,
/**
 * Why it did not succeed: a [`Code`](isosmith_protocol::Code) as on the wire.
 */
code: string | null,
/**
 * Path of the ISO, while it is still there.
 */
iso: string | null,
/**
 * How many warnings.
 */
warnings: number,
/**
 * Whether it can be gone on with.
 */
resumable: boolean,
/**
 * What to ask the `picture` command for.
 */
picture: string | null, };

/**
 * A field that differs.
 */
export type FieldDifference = {
/**
 * Which.
 */
path: string,
/**
 * Its value in the first build; `null` where it has none.
 */
a: string | null,
/**
 * Its value in the second.
 */
b: string | null, };

/**
 * A package that differs.
 */
export type PackageDifference = {
/**
 * Which.
 */
name: string,
/**
 * Its version in the first build; `null` where it is not.
 */
a: string | null,
/**
 * Its version in the second.
 */
b: string | null,
/**
 * By how many bytes more it takes in the second, installed; less than 0 for less. `null`
 * where a list does not say.
 */
grows: number | null, };

/**
 * A size in both builds.
 */
export type SizeDifference = {
/**
 * Of what.
 */
name: string,
/**
 * In the first build, in bytes; 0 where it has none.
 */
a: number,
/**
 * In the second.
 */
b: number, };

/**
 * In what two builds differ.
 */
export type Comparison = {
/**
 * Fields of the spec that differ.
 */
spec: Array<FieldDifference>,
/**
 * Packages whose version differs.
 */
packages: Array<PackageDifference>,
/**
 * Where the room goes, in both.
 */
sizes: Array<SizeDifference>, };

/**
 * With which firmware an ISO is tried.
 */
export type Firmware = "bios" | "uefi" | "secure-boot";

/**
 * The window's language.
 */
export type LanguageName = "system" | "en" | "de";

/**
 * The window's colours.
 */
export type ThemeName = "system" | "light" | "dark";

/**
 * The window's own settings: only what has an effect.
 */
export type Settings = {
/**
 * Folder for ISOs.
 */
output: string,
/**
 * Where packages come from, instead of what the machine uses.
 */
mirror: string | null,
/**
 * HTTP proxy for downloads.
 */
proxy: string | null,
/**
 * What a build does about failures.
 */
errorMode: ErrorMode,
/**
 * How much of the machine a build takes.
 */
pace: Pace,
/**
 * The most that the cache takes after a build, in gigabytes.
 */
cacheLimit: number | null,
/**
 * Whether the desktop is told when a build ends and the window is not in front.
 */
notifications: boolean,
/**
 * Of the window.
 */
language: LanguageName,
/**
 * Of the window.
 */
theme: ThemeName, };
