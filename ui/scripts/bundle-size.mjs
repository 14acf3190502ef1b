// Prints what the page weighs, gzipped, and fails above the limit.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const LIMIT = 400_000;

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : [path];
  });
}

const sizes = files('dist').map((path) => [path, gzipSync(readFileSync(path)).length]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0);
for (const [path, size] of sizes.sort((a, b) => b[1] - a[1])) {
  console.log(`${(size / 1000).toFixed(1).padStart(8)} kB  ${path}`);
}
console.log(
  `${(total / 1000).toFixed(1).padStart(8)} kB  in all, gzipped; ${LIMIT / 1000} kB are allowed`,
);
if (total > LIMIT) process.exit(1);
