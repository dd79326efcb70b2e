import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { ConfigLoader } from '../../src/config/load.ts';
import { formatProblems } from '../../src/diagnostics/format.ts';

// Each folder is a config; expected.txt is what `pullcord validate` would print of it. UPDATE=1 writes it anew.
const cases = join(import.meta.dirname, '../cases/config');

for (const name of readdirSync(cases)) {
  t.test(`validate prints the expected problems of the config ${name}`, async (t) => {
    const folder = join(cases, name);
    const loaded = await new ConfigLoader(folder).load();
    const printed = formatProblems(loaded.problems, loaded.sources, { format: 'text' }).replaceAll(folder, 'config');
    const expectedFile = join(folder, 'expected.txt');
    if (process.env.UPDATE) await writeFile(expectedFile, printed);
    t.equal(printed, await readFile(expectedFile, 'utf8'));
    t.equal(loaded.ok, printed === '', 'a config without problems loads, and no other');
    t.notMatch(printed, 'hunter2', 'no secret is printed');
  });
}
