/** Values of a profile by path: `branding.name`, `base.repositories[0].uri`. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Tree = { [key: string]: Json };

export const isTree = (value: Json | undefined): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What stands at `path`; undefined for nothing. */
export function at(tree: Json | undefined, path: string): Json | undefined {
  return path
    .split('.')
    .reduce<Json | undefined>((node, key) => (isTree(node) ? node[key] : undefined), tree);
}

/** The tree with `value` at `path`; undefined takes it out. */
export function put(tree: Tree, path: string, value: Json | undefined): Tree {
  const [key = '', ...rest] = path.split('.');
  if (rest.length > 0) {
    const child = tree[key];
    return { ...tree, [key]: put(isTree(child) ? child : {}, rest.join('.'), value) };
  }
  const copy = { ...tree };
  if (value === undefined) Reflect.deleteProperty(copy, key);
  else copy[key] = value;
  return copy;
}

export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => same(item, b[index]));
  }
  if (!isTree(a) || !isTree(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => same(a[key], b[key]));
}

/** Whether a problem at `where` belongs to the field `field`. */
export const within = (field: string, where: string): boolean =>
  where === field || where.startsWith(`${field}.`) || where.startsWith(`${field}[`);

export const asText = (value: Json | undefined): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
export const asTexts = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.map(asText) : [];
export const asRows = (value: Json | undefined): Tree[] =>
  Array.isArray(value) ? value.filter(isTree) : [];
