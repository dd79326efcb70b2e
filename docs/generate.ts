// Writes docs/reference/ and docs/lifecycle.md from the code that they describe; with --check it only reports what is out of date.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { lifecyclePage } from './generator/lifecycle-page.ts';
import { referencePages } from './generator/reference-pages.ts';

const folder = join(import.meta.dirname, 'reference');
/** By their paths below docs/reference/. */
const pages = new Map([...(await referencePages()), ['../lifecycle.md', lifecyclePage()]]);

const existing = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
const files = existing.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
const superfluous = files.filter((file) => !pages.has(relative(folder, file)));
const stale: string[] = [];
for (const [name, text] of pages) {
  const present = await readFile(join(folder, name), 'utf8').catch(() => undefined);
  if (present !== text) stale.push(join(folder, name));
}

if (process.argv.includes('--check')) {
  for (const file of [...superfluous, ...stale]) console.error(`${relative('.', file)}: out of date`);
  if (superfluous.length + stale.length > 0) {
    console.error('Run `npm run generate` and commit the result.');
    process.exitCode = 1;
  }
} else {
  for (const file of superfluous) await rm(file);
  for (const [name, text] of pages) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}
