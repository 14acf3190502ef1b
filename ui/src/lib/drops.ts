/** What a file that is dropped onto the window may be for. */

import { app } from './stores/app.svelte.ts';
import { spec } from './stores/draft.svelte.ts';
import { asRows, asTexts, at, type Json } from './tree.ts';

export type DropUse = 'open' | 'logo' | 'wallpaper' | 'overlay' | 'script' | 'deb';

const PICTURES = ['png', 'jpg', 'jpeg', 'webp', 'svg'];

/** The possible uses, likeliest first. */
export function dropKind(path: string, editing: boolean): DropUse[] {
  const end = path.toLowerCase().split('.').at(-1) ?? '';
  if (end === 'toml' || end === 'iso') return ['open'];
  if (!editing) return [];
  if (PICTURES.includes(end)) return ['logo', 'wallpaper', 'overlay'];
  if (end === 'deb') return ['deb', 'overlay'];
  return end === 'sh' ? ['script', 'overlay'] : ['overlay'];
}

/** Adds to a list of the spec. */
function append(field: string, item: Json): void {
  const values = spec.draft?.values;
  if (!values) return;
  const now = at(values, field);
  const list: Json[] = field === 'software.debs' ? asTexts(now) : asRows(now);
  spec.edit(field, [...list, item]);
}

export async function use(path: string, what: DropUse): Promise<void> {
  switch (what) {
    case 'open': {
      const from = path.toLowerCase().endsWith('.iso') ? { iso: path } : { path };
      if (await spec.open(from)) app.go({ at: 'describe', section: 'branding' });
      return;
    }
    case 'logo':
    case 'wallpaper':
      spec.edit(`branding.${what}`, path);
      app.goField('branding', `branding.${what}`);
      return;
    case 'overlay': {
      const name = path.split('/').at(-1) ?? '';
      append('files', {
        source: path,
        target: `/usr/local/share/${name}`,
        owner: 'root',
        group: 'root',
      });
      app.goField('files', 'files');
      return;
    }
    case 'script':
      append('scripts', { source: path, point: 'after-packages', network: false });
      app.goField('files', 'scripts');
      return;
    case 'deb':
      append('software.debs', path);
      app.goField('software', 'software.debs');
      return;
  }
}
