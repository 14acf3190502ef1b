/** Words by key, in the language of the settings. A language is one file of messages. */

import de from '../messages/de.json';
import en from '../messages/en.json';

export type Key = keyof typeof en;
export type Language = 'en' | 'de';
export type Values = Record<string, string | number>;

const LANGUAGES: Record<Language, Record<string, string>> = { en, de };

const chosen = $state<{ language: Language }>({ language: 'en' });

export const language = (): Language => chosen.language;

export function speak(name: 'system' | Language, preferred: readonly string[]): void {
  const wanted = name === 'system' ? preferred.map((one) => one.slice(0, 2)) : [name];
  chosen.language = wanted.find((one): one is Language => one in LANGUAGES) ?? 'en';
}

const fill = (words: string, values: Values): string =>
  words.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

/** The words for `key`, with `{name}` filled in. */
export function t(key: Key, values: Values = {}): string {
  return fill(LANGUAGES[chosen.language][key] ?? en[key], values);
}

/** Words for a key made from data, such as a field's path; undefined where there are none. */
export function maybe(key: string, values: Values = {}): string | undefined {
  const words = LANGUAGES[chosen.language][key];
  return words === undefined ? undefined : fill(words, values);
}

/** The words for a count: `KEY.one` or `KEY.other`, with `{n}` filled in as a number. */
export function tn(key: string, n: number, values: Values = {}): string {
  const form = new Intl.PluralRules(chosen.language).select(n) === 'one' ? 'one' : 'other';
  const words = LANGUAGES[chosen.language][`${key}.${form}`] ?? `${key}.${form}`;
  return fill(words, { n: n.toLocaleString(chosen.language), ...values });
}
