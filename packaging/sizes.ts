import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** What a page loads, in bytes: bundled, minified and gzipped. */
const limits = { 'src/client/index.ts': 5 * 1024, 'src/chat/index.ts': 12 * 1024 };

for (const [entry, limit] of Object.entries(limits)) {
  const { outputFiles } = await build({
    ...{ entryPoints: [entry], absWorkingDir: `${import.meta.dirname}/..`, target: 'es2022' },
    ...{ bundle: true, minify: true, format: 'esm', write: false },
  });
  const size = outputFiles.reduce((sum, { contents }) => sum + gzipSync(contents).length, 0);
  console.log(`${entry}: ${size} of ${limit} bytes`);
  if (size > limit) process.exitCode = 1;
}
