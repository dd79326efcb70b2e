import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { build as buildPage, type Rolldown } from 'vite';

/** What a page loads, in bytes: bundled, minified and gzipped. */
const limits = { 'src/client/index.ts': 5 * 1024, 'src/chat/index.ts': 12 * 1024 };
/** The scripts of the console that its first view needs. */
const firstViewLimit = 60 * 1024;

for (const [entry, limit] of Object.entries(limits)) {
  const { outputFiles } = await build({
    ...{ entryPoints: [entry], absWorkingDir: `${import.meta.dirname}/..`, target: 'es2022' },
    ...{ bundle: true, minify: true, format: 'esm', write: false },
  });
  const size = outputFiles.reduce((sum, { contents }) => sum + gzipSync(contents).length, 0);
  report(entry, size, limit);
}
report('console: first view', await firstViewSize(), firstViewLimit);

function report(what: string, size: number, limit: number): void {
  console.log(`${what}: ${size} of ${limit} bytes`);
  if (size > limit) process.exitCode = 1;
}

async function firstViewSize(): Promise<number> {
  const built = await buildPage({
    configFile: `${import.meta.dirname}/../console/vite.config.ts`,
    logLevel: 'error',
    build: { write: false },
  });
  const { output } = [built].flat()[0] as Rolldown.RolldownOutput;
  const chunks = new Map(output.filter((file) => file.type === 'chunk').map((chunk) => [chunk.fileName, chunk]));
  const needed = new Set<string>();
  const need = (name: string): void => {
    if (needed.has(name)) return;
    needed.add(name);
    for (const imported of chunks.get(name)?.imports ?? []) need(imported);
  };
  for (const [name, { isEntry, facadeModuleId }] of chunks) {
    if (isEntry || facadeModuleId?.endsWith('/views/overview/index.tsx')) need(name);
  }
  return [...needed].reduce((sum, name) => sum + gzipSync(chunks.get(name)?.code ?? '').length, 0);
}
