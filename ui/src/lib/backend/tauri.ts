/** The real backend: commands and channels of Tauri. */

import { Channel, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Backend, BackendEvents, ChannelMessage, Preview } from '../backend.ts';
import { type BuildEvent, readEvent } from '../protocol.ts';

/** A batch of events, one event, or anything else for the end. */
export function readMessage(message: unknown): ChannelMessage {
  const events = (Array.isArray(message) ? message : [message])
    .map(readEvent)
    .filter((event): event is BuildEvent => event !== null);
  return events.length > 0 || Array.isArray(message) ? { events } : { end: true };
}

/**
 * A drawn surface as it comes: four bytes with the length of its warnings (little endian), the
 * warnings as JSON, the PNG.
 */
export function readPreview(bytes: ArrayBuffer): Preview {
  const length = new DataView(bytes).getUint32(0, true);
  const json = new TextDecoder().decode(new Uint8Array(bytes, 4, length));
  const warnings = JSON.parse(json) as Preview['warnings'];
  return { png: bytes.slice(4 + length), warnings };
}

export const tauri: Backend = {
  kind: 'tauri',
  startPage: () => invoke('start_page'),
  picture: (id) => invoke('picture', { id }),
  openDraft: (from) => invoke('open_draft', { from }),
  editDraft: (id, path, value) => invoke('edit_draft', { id, path, value }),
  editText: (id, toml) => invoke('edit_text', { id, toml }),
  saveDraft: (id, path) => invoke('save_draft', { id, path }),
  pick: (kind) => invoke('pick', { kind }),
  totals: (id) => invoke('totals', { id }),
  preview: async (id, surface, moment, width, height) =>
    readPreview(await invoke<ArrayBuffer>('preview', { id, surface, moment, width, height })),
  searchPackages: (id, query, limit) => invoke('search_packages', { id, query, limit }),
  packageCost: (id, name) => invoke('package_cost', { id, name }),
  plan: (id) => invoke('plan', { id }),
  hashPassword: (password) => invoke('hash_password', { password }),
  startBuild: (id, output) => invoke('start_build', { id, output }),
  attach: (build, from, to) => {
    const channel = new Channel<unknown>();
    channel.onmessage = (message) => {
      to(readMessage(message));
    };
    return invoke('attach', { build, from, channel });
  },
  cancelBuild: (build) => invoke('cancel_build', { build }),
  answer: (build, question, choice) => invoke('answer', { build, question, choice }),
  resumeBuild: (build) => invoke('resume_build', { build }),
  builds: () => invoke('builds'),
  build: (id) => invoke('build', { id }),
  deleteBuild: (id) => invoke('delete_build', { id }),
  compare: (a, b) => invoke('compare', { a, b }),
  checkDownload: (path, algorithm, sum) => invoke('check_download', { path, algorithm, sum }),
  tryIt: (path, firmware) => invoke('try_it', { path, firmware }),
  showInFolder: (path) => invoke('show_in_folder', { path }),
  keepOpen: () => invoke('keep_open'),
  closeWindow: () => invoke('close_window'),
  settings: () => invoke('settings'),
  setSettings: (settings) => invoke('set_settings', { settings }),
  on: (event, hear) => {
    const listening = listen<BackendEvents[typeof event]>(event, ({ payload }) => {
      hear(payload);
    });
    // What the window was started with waits until somebody listens.
    if (event === 'open') void listening.then(() => invoke('page_listens'));
  },
};
