// Writes docs/reference/ from the schemas, the plugins, the command line and the error codes; with --check it only says what is not up to date.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { referencePages } from './generator/reference-pages.ts';

const folder = join(import.meta.dirname, 'reference');
const pages = await referencePages();

const existing = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
const files = existing.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
const superfluous = files.filter((file) => !pages.has(relative(folder, file)));
const stale: string[] = [];
for (const [name, text] of pages) {
  const present = await readFile(join(folder, name), 'utf8').catch(() => undefined);
  if (present !== text) stale.push(join(folder, name));
}

if (process.argv.includes('--check')) {
  for (const file of [...superfluous, ...stale]) console.error(`${relative('.', file)}: not up to date`);
  if (superfluous.length + stale.length > 0) {
    console.error('Run `npm run generate` and commit what changes.');
    process.exitCode = 1;
  }
} else {
  for (const file of superfluous) await rm(file);
  for (const [name, text] of pages) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}
