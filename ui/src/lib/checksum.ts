/** Checksums as people paste them: bare, upper-case, or a line of `sha256sum`. */

const LENGTHS: Record<number, string> = { 32: 'md5', 64: 'sha256', 128: 'sha512' };

/** The checksum in what was pasted, in lower case. */
export const cleanSum = (pasted: string): string =>
  (pasted.trim().split(/\s+/)[0] ?? '').toLowerCase();

/** What a checksum of this length is made with; null for none. */
export const algorithmOf = (sum: string): string | null =>
  /^[0-9a-f]+$/.test(sum) ? (LENGTHS[sum.length] ?? null) : null;
