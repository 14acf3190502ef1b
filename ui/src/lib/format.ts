/** Numbers, sizes and times as people say them. */

type Say = (key: string, n: number) => string;

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A size in decimal units, as file managers show it: `634 MB`, `6.1 GB`. */
export function bytes(size: number, language: string): string {
  let value = Math.max(0, size);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit >= 2 && value < 9.95 ? 1 : 0;
  const number = value.toLocaleString(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${number} ${UNITS[unit] ?? ''}`;
}

/** An exact span: `58 ms`, `9 s`, `1 min 10 s`, `2 h 5 min`. */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}

/** A span as one estimates it: in steps so coarse that they rarely change. */
export function about(ms: number, say: Say): string {
  const seconds = ms / 1000;
  if (seconds < 15) return say('time.seconds', 10);
  if (seconds < 55) return say('time.seconds', Math.ceil(seconds / 10) * 10);
  const minutes = Math.ceil((seconds - 5) / 60);
  if (minutes < 90) return say('time.minutes', minutes);
  return say('time.hours', Math.round(minutes / 60));
}

export function when(seconds: number, language: string, now = Date.now()): string {
  const date = new Date(seconds * 1000);
  const today = new Date(now);
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  if (date.toDateString() === today.toDateString()) return date.toLocaleTimeString(language, time);
  const sameYear = date.getFullYear() === today.getFullYear();
  return date.toLocaleDateString(language, {
    day: 'numeric',
    month: 'short',
    ...(sameYear ? time : { year: 'numeric' }),
  });
}

export const percent = (permille: number, language: string): string =>
  `${Math.floor(permille / 10).toLocaleString(language)} %`;

/** The last part of a path. */
export const fileName = (path: string): string =>
  path
    .split('/')
    .filter((part) => part)
    .at(-1) ?? path;

/**
 * Text from outside with what could disguise it made visible: control characters and those
 * that turn the direction of writing.
 */
export const plain = (text: string): string =>
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
