import type { Backend } from '../backend.ts';

/** Tauri's where the page runs in it, unless the address asks for a replay. */
export async function chooseBackend(search: string): Promise<Backend> {
  const query = new URLSearchParams(search);
  const inTauri = '__TAURI_INTERNALS__' in globalThis;
  if (inTauri && !query.has('replay')) return (await import('./tauri.ts')).tauri;
  return (await import('./replay/replay.ts')).replay(query);
}
