/** A stand-in for crates/spec's checker: the schema's patterns and a few of its rules. */

import schema from '../../../../../profiles/schema.json';
import type { Problem } from '../../backend.ts';
import { asText, asTexts, at, isTree, type Json, put, type Tree } from '../../tree.ts';
import packages from './packages.json';

interface Rule {
  type?: string | string[];
  pattern?: string;
  enum?: Json[];
  anyOf?: Rule[];
  const?: Json;
  properties?: Record<string, Rule>;
  items?: Rule;
  required?: string[];
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  description?: string;
}

const NAMES = new Set(packages.map(([name]) => String(name)));

function fits(rule: Rule, value: Json): boolean {
  if (rule.anyOf) return rule.anyOf.some((one) => fits(one, value));
  if ('const' in rule) return value === rule.const;
  if (rule.enum && !rule.enum.includes(value)) return false;
  if (typeof value === 'string') {
    const types = [rule.type ?? 'string'].flat();
    return (
      types.includes('string') &&
      value.length <= (rule.maxLength ?? Infinity) &&
      (rule.pattern === undefined || new RegExp(rule.pattern).test(value))
    );
  }
  if (typeof value === 'number') {
    const types = [rule.type ?? 'integer'].flat();
    return (
      types.includes('integer') &&
      value >= (rule.minimum ?? -Infinity) &&
      value <= (rule.maximum ?? Infinity)
    );
  }
  if (typeof value === 'boolean') return rule.type === 'boolean';
  return isTree(value) ? rule.type === 'object' : rule.type === 'array';
}

const sentence = (rule: Rule, value: Json): string => {
  const shown =
    typeof value === 'string' && value !== '' ? `“${value}” does not fit here` : 'This is needed';
  return `${shown}. ${rule.description ?? ''}`.trim();
};

function* broken(rule: Rule, value: Json, path: string): Generator<Problem> {
  if (isTree(value) && (rule.properties ?? rule.anyOf)) {
    const table = rule.properties ? rule : rule.anyOf?.find((one) => one.properties);
    const known = table?.properties ?? {};
    for (const [key, child] of Object.entries(value)) {
      const where = path === '' ? key : `${path}.${key}`;
      const below = known[key];
      if (below) yield* broken(below, child, where);
      else yield { path: where, message: `There is no field “${where}”.`, fix: null };
    }
    for (const key of table?.required ?? []) {
      if (value[key] === undefined || value[key] === '') {
        const where = path === '' ? key : `${path}.${key}`;
        yield { path: where, message: 'This is needed.', fix: null };
      }
    }
    return;
  }
  if (Array.isArray(value) && rule.items) {
    for (const [index, item] of value.entries()) {
      yield* broken(rule.items, item, `${path}[${index}]`);
    }
    return;
  }
  if (!fits(rule, value)) yield { path, message: sentence(rule, value), fix: null };
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function* crossed(values: Tree): Generator<Problem> {
  const uefi = at(values, 'boot.uefi');
  if (at(values, 'boot.secure_boot') === true && uefi === false) {
    yield {
      path: 'boot.secure_boot',
      message: 'Secure Boot needs UEFI, which is off.',
      fix: { label: 'Switch Secure Boot off', value: false },
    };
  }
  if (at(values, 'boot.bios') === 'none' && uefi === false) {
    yield {
      path: 'boot.bios',
      message: 'No machine could start this: there is a loader for neither BIOS nor UEFI.',
      fix: { label: 'Use ISOLINUX', value: 'isolinux' },
    };
  }
  const kiosk = asText(at(values, 'desktop.environment')) === 'kiosk';
  if (kiosk && asText(at(values, 'desktop.kiosk_page')) === '') {
    yield {
      path: 'desktop.kiosk_page',
      message: 'A kiosk shows one page, and none is named.',
      fix: null,
    };
  }
  const ports = asTexts(at(values, 'security.open_ports'));
  if (ports.length > 0 && at(values, 'security.firewall') === 'none') {
    yield {
      path: 'security.open_ports',
      message: 'Ports are named, but there is no firewall that could let them in.',
      fix: { label: 'Name none', value: [] },
    };
  }
  const desktop = !kiosk && asText(at(values, 'desktop.environment')) !== 'none';
  const calamares = at(values, 'installer.calamares') === true;
  if (calamares && !desktop && at(values, 'installer.only') !== true) {
    yield {
      path: 'installer.calamares',
      message: 'Calamares is a graphical program, and there is no desktop to open it on.',
      fix: { label: 'Leave it out', value: false },
    };
  }
  const firmware = asTexts(at(values, 'kernel.firmware')).filter((group) => group !== 'free');
  const components = asTexts(at(values, 'base.components'));
  if (firmware.length > 0 && !components.includes('non-free-firmware')) {
    yield {
      path: 'base.components',
      message: 'The firmware that you chose is in the area non-free-firmware, which is off.',
      fix: { label: 'Add non-free-firmware', value: [...components, 'non-free-firmware'] },
    };
  }
  if (!components.includes('main')) {
    yield {
      path: 'base.components',
      message: 'Debian itself is in the area main, which is off.',
      fix: { label: 'Add main', value: ['main', ...components] },
    };
  }
  const chosen = asTexts(at(values, 'software.packages'));
  for (const name of asTexts(at(values, 'software.exclude'))) {
    if (chosen.includes(name)) {
      yield {
        path: 'software.exclude',
        message: `${name} is both chosen and kept out.`,
        fix: {
          label: `Do not keep ${name} out`,
          value: asTexts(at(values, 'software.exclude')).filter((one) => one !== name),
        },
      };
    }
  }
  for (const [index, name] of chosen.entries()) {
    const near = NAMES.has(name) ? undefined : [...NAMES].find((one) => distance(one, name) === 1);
    if (near) {
      yield {
        path: `software.packages[${index}]`,
        message: `There is no package ${name} in this release. Did you mean ${near}?`,
        fix: { label: `Use ${near}`, value: chosen.map((one) => (one === name ? near : one)) },
      };
    }
  }
  const live = asText(at(values, 'users.live.name'));
  if (['root', 'daemon', 'bin', 'sys', 'www-data'].includes(live)) {
    yield {
      path: 'users.live.name',
      message: `${live} is an account of the system itself.`,
      fix: { label: 'Use “user”', value: 'user' },
    };
  }
  const label = asText(at(values, 'image.label'));
  if (label !== label.toUpperCase()) {
    yield {
      path: 'image.label',
      message: 'A volume label has no lower-case letters.',
      fix: { label: `Use ${label.toUpperCase()}`, value: label.toUpperCase() },
    };
  }
  const twice = at(values, 'base.snapshot') !== undefined;
  if (twice && asTexts(at(values, 'base.mirrors')).some((mirror) => mirror !== 'auto')) {
    yield {
      path: 'base.mirrors',
      message: 'A snapshot comes from the snapshot archive, so no mirrors can stand beside it.',
      fix: { label: 'Use “auto”', value: ['auto'] },
    };
  }
}

/** Every problem of the merged profile; cross-field rules speak before patterns. */
export function check(values: Tree): Problem[] {
  const own = put(put(values, 'format', 1), 'extends', undefined);
  const rules = [...crossed(values)];
  const shapes = [...broken(schema as unknown as Rule, own, '')];
  const spoken = new Set(rules.map((problem) => problem.path));
  return [...rules, ...shapes.filter((problem) => !spoken.has(problem.path))];
}
