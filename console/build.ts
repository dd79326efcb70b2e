// Builds the console into dist/console. With --if-stale only where its sources are newer, and the gateway starts even if it fails.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const root = import.meta.dirname;
const page = join(root, '../dist/console/index.html');

async function newest(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const times = await Promise.all(files.map(({ parentPath, name }) => timeOf(join(parentPath, name))));
  return Math.max(...times);
}

async function timeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}

const isOptional = process.argv.includes('--if-stale');
const builtAt = await timeOf(page);
if (!isOptional || builtAt <= Math.max(await newest(root), await timeOf(join(root, '../package-lock.json')))) {
  try {
    const { build } = await import('vite');
    console.error(builtAt === 0 ? 'building the console …' : 'building the console again: its sources have changed …');
    const startedAt = performance.now();
    await build({ configFile: join(root, 'vite.config.ts'), logLevel: 'warn' });
    console.error(`the console is built (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  } catch (error) {
    if (!isOptional) throw error;
    const reason = Object(error).code === 'ERR_MODULE_NOT_FOUND' ? 'run npm ci to install Vite' : String(error);
    console.error(`the console could not be built, and the gateway starts without it: ${reason}`);
  }
}
