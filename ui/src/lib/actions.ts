/** What the buttons of a failure do. */

import type { Action } from './errors.ts';
import { fieldAt } from './fields/table.ts';
import type { ErrorView } from './protocol.ts';
import { app } from './stores/app.svelte.ts';
import { build } from './stores/build.svelte.ts';
import { spec } from './stores/draft.svelte.ts';

export interface Failure {
  error: ErrorView;
  /** Which build; null where none had begun. */
  build: string | null;
  title: string;
}

const FIELDS: Partial<Record<Action, string>> = {
  edit_mirrors: 'base.mirrors',
  edit_packages: 'software.packages',
  edit_repositories: 'base.repositories',
  edit_scripts: 'scripts',
  edit_compression: 'image.compression',
};

/** Opens the spec of the failed build where none is open. */
async function withSpec(failure: Failure): Promise<boolean> {
  if (spec.draft) return true;
  const id = failure.build;
  if (id === null) return false;
  const detail = await app.trying(() => app.backend.build(id));
  return detail !== undefined && spec.open({ text: detail.toml });
}

export async function buildNow(): Promise<void> {
  const { draft } = spec;
  const output = app.settings?.output;
  if (!draft || output === undefined) return;
  app.go({ at: 'build' });
  await build.start(draft, output);
}

async function editField(path: string | null): Promise<void> {
  const problem = spec.draft?.problems[0]?.path ?? null;
  const wanted = path ?? problem;
  const field = wanted === null ? undefined : fieldAt(wanted);
  app.goField(field?.section ?? 'base', field?.path ?? null);
}

export function reportOf(failure: Failure): string {
  const { error } = failure;
  return [
    `Isosmith ${app.start?.version ?? ''}`,
    `Build ${failure.build ?? 'not begun'}: ${failure.title}`,
    `Code ${error.code} (${error.class})${error.step === null ? '' : ` in step ${error.step}`}`,
    error.message,
    ...error.causes.map((cause) => `  because: ${cause}`),
    ...(error.command === null ? [] : [`Command: ${error.command}`]),
    ...error.tail.map((line) => `  | ${line}`),
  ].join('\n');
}

export async function act(action: Action, failure: Failure): Promise<void> {
  switch (action) {
    case 'retry':
      if (await withSpec(failure)) await buildNow();
      return;
    case 'resume':
      if (failure.build === null) return act('retry', failure);
      app.go({ at: 'build' });
      return build.resume(failure.build, failure.title);
    case 'edit':
      if (await withSpec(failure)) await editField(null);
      return;
    case 'edit_mirrors':
    case 'edit_packages':
    case 'edit_repositories':
    case 'edit_scripts':
    case 'edit_compression':
      if (await withSpec(failure)) await editField(FIELDS[action] ?? null);
      return;
    case 'choose_folder': {
      const output = await app.trying(() => app.backend.pick('output'));
      if (output) await app.set({ output });
      return;
    }
    case 'show_folder': {
      const output = app.settings?.output ?? '';
      await app.trying(() => app.backend.showInFolder(output));
      return;
    }
    case 'show_log':
      if (failure.build !== null && build.id !== failure.build) {
        await build.attach(failure.build, failure.title, false);
      }
      app.go({ at: 'build' });
      return;
    case 'copy_command': {
      const id = spec.draft?.id;
      const plan = id === undefined ? undefined : await app.trying(() => app.backend.plan(id));
      return app.copy(plan?.command ?? 'isosmith build');
    }
    case 'copy_report':
      return app.copy(reportOf(failure));
    case 'history':
      app.go({ at: 'history' });
      return;
  }
}
