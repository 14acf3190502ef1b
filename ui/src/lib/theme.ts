import type { ThemeName } from './backend.ts';

const dark = () => globalThis.matchMedia('(prefers-color-scheme: dark)');

let name: ThemeName = 'system';

const show = () => {
  const isDark = name === 'dark' || (name === 'system' && dark().matches);
  document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light';
};

export function wear(theme: ThemeName): void {
  name = theme;
  show();
}

export function followSystem(): void {
  dark().addEventListener('change', show);
  show();
}
