import type { Preview } from './backend.ts';

/** An address for `img`; pictures that came as bytes get one of their own. */
export function address(png: Preview['png']): string {
  if (typeof png === 'string') return png;
  const bytes = png instanceof ArrayBuffer ? new Uint8Array(png) : Uint8Array.from(png);
  return URL.createObjectURL(new Blob([bytes], { type: 'image/png' }));
}

export function release(src: string): void {
  if (src.startsWith('blob:')) URL.revokeObjectURL(src);
}
