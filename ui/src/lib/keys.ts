/** The window's keys. */

export interface Keys {
  save: () => void;
  undo: () => void;
  redo: () => void;
  build: () => void;
  /** Explains the field in focus; false where there is none. */
  explain: () => boolean;
}

type Press = Pick<
  KeyboardEvent,
  'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey' | 'preventDefault'
>;

/** What a key press means; null for nothing of ours. */
export function meaning(press: Omit<Press, 'preventDefault'>): keyof Keys | null {
  if (press.altKey) return null;
  if (press.key === 'F1') return 'explain';
  if (!press.ctrlKey && !press.metaKey) return null;
  switch (press.key.toLowerCase()) {
    case 's':
      return press.shiftKey ? null : 'save';
    case 'z':
      return press.shiftKey ? 'redo' : 'undo';
    case 'y':
      return press.shiftKey ? null : 'redo';
    case 'enter':
      return 'build';
    default:
      return null;
  }
}

/** Does what the key means while a spec is open. */
export function handle(event: Press, keys: Keys, editing: boolean): void {
  const what = meaning(event);
  if (what === null || !editing) return;
  event.preventDefault();
  keys[what]();
}
