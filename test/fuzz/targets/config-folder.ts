import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ConfigLoader } from '../../../src/config/load.ts';
import { formatProblems } from '../../../src/diagnostics/format.ts';
import { promised, type Target } from '../engine/target.ts';
import { config, isPrinted } from './config.ts';
import { exampleFiles } from './example-config.ts';

/** The same from a folder, as the gateway loads it: a file of the example is written again and again. */
export const configFolder: Target = {
  ...config,
  name: 'config-folder',
  weight: 3,
  async open() {
    const root = await mkdtemp(join(tmpdir(), 'pullcord-fuzz-'));
    const files = [...(await exampleFiles())].map(
      ([file, bytes], index) => [`${index}-${basename(file)}`, bytes] as const,
    );
    for (const [file, bytes] of files) await writeFile(join(root, file), bytes);
    const loader = new ConfigLoader(root);
    return {
      async run(input) {
        await writeFile(join(root, 'fuzzed.yaml'), input);
        const loaded = await loader.load();
        const { problems, sources } = loaded;
        if (loaded.ok) return { kind: 'value', code: 'config' };
        const reason = problems.find(({ severity }) => severity === 'error');
        promised(reason !== undefined, 'a config is refused with a problem');
        const text = formatProblems(problems, sources, { format: 'text' });
        promised(isPrinted(reason, text), 'the message of a problem is printed');
        return {
          kind: 'refused',
          code: [...new Set(problems.map(({ code }) => code))].toSorted().slice(0, 3).join(' '),
        };
      },
      close: () => rm(root, { recursive: true }),
    };
  },
};
