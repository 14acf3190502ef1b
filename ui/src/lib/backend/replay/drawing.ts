/**
 * Surfaces roughly as crates/branding lays them out, drawn as SVG: what a page without Rust
 * shows in place of the product's own renderer.
 */

import type { Preview, PreviewWarning, Surface } from '../../backend.ts';
import { asText, asTexts, at, type Tree } from '../../tree.ts';

type Rgb = [number, number, number];

function rgb(code: string, otherwise: Rgb): Rgb {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(code);
  const digits = short
    ? short.slice(1).map((one) => one + one)
    : /^#(..)(..)(..)$/.exec(code)?.slice(1);
  const [r = 0, g = 0, b = 0] = digits?.map((one) => parseInt(one, 16)) ?? otherwise;
  return [r, g, b];
}

const luminance = (colour: Rgb): number => {
  const [r = 0, g = 0, b = 0] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

/** WCAG's contrast of two colours. */
export function contrast(a: Rgb, b: Rgb): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const css = ([r, g, b]: Rgb, alpha = 1): string => `rgb(${r} ${g} ${b} / ${alpha})`;
const mix = (a: Rgb, b: Rgb, share: number): Rgb =>
  a.map((part, index) => Math.round(part + ((b[index] ?? 0) - part) * share)) as Rgb;
const escape = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

const TITLES: Record<string, (name: string) => string> = {
  live: (name) => name,
  'live-to-ram': (name) => `${name} (copied to memory)`,
  'safe-graphics': (name) => `${name} (safe graphics)`,
  'verify-medium': () => 'Verify this medium',
  'memory-test': () => 'Memory test',
  'local-disk': () => 'Start from the first disk',
};

interface Look {
  text: Rgb;
  ground: Rgb;
  accent: Rgb;
  onAccent: Rgb;
  muted: Rgb;
  wallpaper: boolean;
}

function look(values: Tree): Look {
  const text = rgb(asText(at(values, 'branding.text')), [232, 238, 246]);
  const ground = rgb(asText(at(values, 'branding.background')), [13, 27, 46]);
  const accent = rgb(asText(at(values, 'branding.accent')), [79, 156, 240]);
  const readable = [text, ground].find((colour) => contrast(colour, accent) >= 4.5);
  const plain: Rgb = luminance(accent) < 0.18 ? [255, 255, 255] : [0, 0, 0];
  const wallpaper = asText(at(values, 'branding.wallpaper')) !== '';
  return {
    text,
    ground,
    accent,
    onAccent: readable ?? plain,
    muted: mix(text, ground, 0.32),
    wallpaper,
  };
}

/** Bands of light, in place of a picture that a page without Rust cannot read. */
function wallpaper(at: Look, width: number, height: number): string {
  const band = (share: number, y: number, bend: number) =>
    `<path fill="${css(mix(at.ground, at.accent, share))}" d="M0 ${y}C${width * 0.3} ${y - bend} ${width * 0.6} ${y + bend} ${width} ${y - bend / 2}V${height}H0Z"/>`;
  return (
    band(0.14, height * 0.42, 90) + band(0.26, height * 0.62, 120) + band(0.4, height * 0.82, 80)
  );
}

const LOGO = `<path fill="#f59e2e" fill-rule="evenodd" d="M66 4a40 40 0 1 1 0 80a40 40 0 1 1 0-80zM66 33a11 11 0 1 0 0 22a11 11 0 1 0 0-22z"/><path fill="#ffd591" d="M66 11a33 33 0 0 1 30 19.3L82.4 36.5A18 18 0 0 0 66 26z"/><path fill="#4d6d9c" d="M4.6 66H124v8c0 9-7 15-16 15h-8c-7 0-11 4-11 9s4 8 10 9h5a5 5 0 0 1 5 5v9a3 3 0 0 1-3 3H38a3 3 0 0 1-3-3v-9a5 5 0 0 1 5-5h5c6-1 10-4 10-9s-4-9-11-9C26 89 11 81 5.5 69z"/><path fill="#7d9cc6" d="M4 62h120v7H5.5C3 67 2 64 4 62z"/>`;

export interface Size {
  width: number;
  height: number;
}

/** Any surface; the boot menus in detail, the others by their main parts. */
export function drawSurface(values: Tree, surface: Surface, moment: number, size: Size): Preview {
  if (surface === 'grub' || surface === 'isolinux') return drawMenu(values, surface, size);
  const at_ = look(values);
  const name = asText(at(values, 'branding.name')) || 'Debian';
  const { width, height } = size;
  const middle = width / 2;
  const text = (x: number, y: number, px: number, words: string, ink: Rgb = at_.text) =>
    `<text x="${x}" y="${y}" text-anchor="middle" font-family="Inter, Noto Sans, DejaVu Sans, sans-serif" font-size="${px}" font-weight="600" fill="${css(ink)}">${escape(words)}</text>`;
  const box = (x: number, y: number, w: number, h: number, ink: Rgb, alpha = 1, round = 8) =>
    `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${round}" fill="${css(ink, alpha)}"/>`;
  const lockup = (y: number) =>
    text(middle, y, Math.min(40, (width - 40) / (name.length * 0.58)), name);
  const light = surface === 'desktop_light';
  const face: Rgb = light ? [246, 246, 247] : [36, 39, 43];
  const ink: Rgb = light ? [35, 38, 41] : [242, 243, 244];
  const desktop = () =>
    box(0, height - 40, width, 40, face, 1, 0) +
    box(10, height - 32, 24, 24, at_.accent, 1, 6) +
    text(width - 40, height - 15, 13, '10:30', ink);
  const frame = (content: string) =>
    box(width * 0.12, height * 0.12, width * 0.76, height * 0.76, face) +
    box(width * 0.12, height * 0.12, width * 0.17, height * 0.76, at_.ground) +
    content;
  const bar = (done: number) =>
    box(middle - 120, height * 0.56, 240, 4, at_.text, 0.18, 0) +
    box(middle - 120, height * 0.56, 240 * done, 4, at_.accent, 1, 0);
  const draw: Record<Exclude<Surface, 'grub' | 'isolinux'>, () => string> = {
    splash: () => lockup(height * 0.44) + bar(Math.min(1, moment / 1000)),
    password: () =>
      lockup(height * 0.44) + box(middle - 160, height * 0.56, 320, 44, at_.text, 0.12),
    login: () =>
      lockup(height * 0.3) +
      box(middle - 180, height * 0.46, 360, 190, at_.text, 0.08, 16) +
      box(middle - 152, height * 0.46 + 124, 304, 44, at_.accent, 1, 10),
    desktop_light: desktop,
    desktop_dark: desktop,
    installer: () => frame(text(width * 0.58, height * 0.4, 24, `Welcome to ${name}`, ink)),
    slides: () => {
      const slides = asTrees(at(values, 'branding.slides'));
      const slide = slides[moment % Math.max(1, slides.length)];
      const title = slide ? asText(at(slide, 'title')) : `Welcome to ${name}`;
      return frame(text(width * 0.58, height * 0.45, 24, title, ink));
    },
  };
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"><rect width="100%" height="100%" fill="${css(at_.ground)}"/>${at_.wallpaper ? wallpaper(at_, width, height) : ''}${draw[surface]()}</svg>`;
  const warnings = warn(at_, [], name, surface);
  return { png: `data:image/svg+xml,${encodeURIComponent(svg)}`, warnings };
}

function asTrees(value: unknown): Tree[] {
  return Array.isArray(value) ? (value as Tree[]) : [];
}

export function drawMenu(values: Tree, surface: Surface, size: Size): Preview {
  const small = surface === 'isolinux';
  const at_ = look(values);
  const name = asText(at(values, 'branding.name')) || 'Debian';
  const below = [asText(at(values, 'branding.version')), asText(at(values, 'branding.codename'))]
    .filter((part) => part !== '')
    .join(' · ');
  const entries = asTexts(at(values, 'boot.entries')).map((id) => TITLES[id]?.(name) ?? id);
  const seconds = at(values, 'boot.timeout');
  const panel = small ? 496 : 560;
  const row = small ? 24 : 36;
  const logo = asText(at(values, 'branding.logo')) !== '' ? (small ? 56 : 88) : 0;
  const title = small ? 30 : 42;
  const lockup = logo + title + (below ? 30 : 6);
  const list = entries.length * row + 28;
  const top = (size.height - lockup - list - 70) / 2 - (small ? 4 : 16);
  const left = (size.width - panel) / 2;
  const middle = size.width / 2;
  const listTop = top + lockup + 24;
  const mono = `font-family="DejaVu Sans Mono, monospace" font-size="${small ? 13 : 15}"`;
  const rows = entries.map((entry, index) => {
    const y = listTop + 14 + index * row;
    const chosen = index === 0;
    const box = chosen
      ? `<rect x="${left + 14}" y="${y}" width="${panel - 28}" height="${row - 4}" rx="${small ? 0 : 8}" fill="${css(at_.accent)}"/>`
      : '';
    const ink = css(chosen ? at_.onAccent : at_.text);
    const limit = Math.floor((panel - 56) / (small ? 7.9 : 9.1));
    const cut = entry.length > limit ? entry.slice(0, limit) : entry;
    return `${box}<text x="${left + 28}" y="${y + row / 2 + 3}" ${mono} fill="${ink}" xml:space="preserve">${escape(cut)}</text>`;
  });
  const after = listTop + list;
  const wait =
    typeof seconds === 'number'
      ? `<rect x="${left}" y="${after + 18}" width="${panel}" height="4" fill="${css(at_.text, 0.18)}"/><text x="${middle}" y="${after + 48}" ${mono} text-anchor="middle" fill="${css(at_.muted)}">Starting in ${seconds} s</text>`
      : '';
  const scale = Math.min(1, (size.width - 40) / (name.length * title * 0.58));
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}"><rect width="100%" height="100%" fill="${css(at_.ground)}"/>${at_.wallpaper ? wallpaper(at_, size.width, size.height) : ''}${logo ? `<g transform="translate(${middle - logo / 2} ${top}) scale(${logo / 128})">${LOGO}</g>` : ''}<text x="${middle}" y="${top + logo + title}" text-anchor="middle" font-family="Inter, Noto Sans, DejaVu Sans, sans-serif" font-weight="600" font-size="${title * scale}" fill="${css(at_.text)}">${escape(name)}</text><text x="${middle}" y="${top + logo + title + 26}" text-anchor="middle" font-family="Inter, Noto Sans, DejaVu Sans, sans-serif" font-size="${small ? 13 : 16}" fill="${css(at_.muted)}">${escape(below)}</text><rect x="${left}" y="${listTop}" width="${panel}" height="${list}" rx="${small ? 0 : 12}" fill="${at_.wallpaper ? css(at_.ground, 0.62) : css(at_.text, 0.05)}" stroke="${css(at_.text, 0.13)}"/>${rows.join('')}${wait}<text x="${middle}" y="${size.height - 22}" ${mono} text-anchor="middle" fill="${css(at_.muted)}" xml:space="preserve">↑ ↓ choose   Enter start</text></svg>`;
  return {
    png: `data:image/svg+xml,${encodeURIComponent(svg)}`,
    warnings: warn(at_, entries, name, surface),
  };
}

function warn(look: Look, entries: string[], name: string, surface: Surface): PreviewWarning[] {
  const warnings: PreviewWarning[] = [];
  const add = (field: string, message: string) =>
    warnings.push({ severity: 'warning', field, message });
  const ratio = contrast(look.text, look.ground);
  if (ratio < 4.5) {
    add(
      'branding.text',
      `The entries of the menu will be hard to read: the contrast is ${ratio.toFixed(1)}, at least 4.5 is needed.`,
    );
  }
  const columns = surface === 'grub' ? 62 : 56;
  for (const entry of entries.filter((one) => one.length > columns)) {
    add(
      'branding.name',
      `“${entry}” is too long for this menu: ${columns} characters fit, it has ${entry.length}.`,
    );
  }
  if (surface === 'isolinux' && /[^\u0020-\u007e\u00a0-\u00ff]/.test(name)) {
    add('branding.name', 'The name has characters that this menu’s font lacks.');
  }
  return warnings;
}
