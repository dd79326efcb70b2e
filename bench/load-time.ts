// How long a gateway takes to start over a large config, and to follow one edit. `node bench/load-time.ts` prints it as
// JSON; with `--yaml`, how long the YAML parser alone takes over the same files, which is what a start is compared with.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseDocument } from 'yaml';
import { builtinRegistry } from '../src/host/builtins.ts';
import { startGateway } from '../src/http/gateway.ts';
import { largeConfigFiles, largeTrigger, largeTriggerPath } from './large-config.ts';
import { median } from './statistics.ts';

export interface LoadTimes {
  readonly triggers: number;
  /** From nothing to serving, in a process that has loaded no config before, without the wait for files to settle. Milliseconds. */
  readonly firstLoadMs: number;
  /** From an edit of one file to serving it, without the waits for the watcher and for files to settle. Median, milliseconds. */
  readonly reloadMs: number;
  readonly longestReloadMs: number;
}

const silent = { info() {}, warn() {}, error() {} };
const edits = 9;

/** Starts a gateway over a new folder with that many triggers, edits one trigger a few times, and stops it. */
export async function measureLoadTimes(triggers: number): Promise<LoadTimes> {
  const root = await mkdtemp(join(tmpdir(), 'pullcord-load-'));
  try {
    for (const [file, text] of Object.entries(largeConfigFiles(triggers))) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), text);
    }
    // Of loading a config, the code that it needs is no part.
    await builtinRegistry().list();
    const startedAt = performance.now();
    const started = await startGateway({ root, log: silent, pause: async () => {} });
    const firstLoadMs = performance.now() - startedAt;
    if (!started.ok) throw new Error(JSON.stringify(started.problems.slice(0, 3)));
    const { gateway } = started;
    const reloads: number[] = [];
    for (let edit = 1; edit <= edits; edit += 1) {
      const before = gateway.revision;
      await writeFile(join(root, largeTriggerPath(7)), largeTrigger(7, 1_000_000 + edit));
      const editedAt = performance.now();
      const report = await gateway.reloader.reload();
      reloads.push(performance.now() - editedAt);
      if (!report.ok || gateway.revision === before) throw new Error('the edit did not go live');
    }
    await gateway.close();
    return {
      triggers,
      firstLoadMs,
      reloadMs: median(reloads),
      longestReloadMs: Math.max(...reloads),
    };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Milliseconds that the YAML parser takes over that many triggers, in a process that has parsed nothing before. */
function measureYamlTime(triggers: number): number {
  const texts = Object.values(largeConfigFiles(triggers));
  const startedAt = performance.now();
  for (const text of texts) parseDocument(text).toJS();
  return performance.now() - startedAt;
}

if (import.meta.main) {
  const triggers = 1000;
  const isYamlOnly = process.argv.includes('--yaml');
  console.log(
    JSON.stringify(isYamlOnly ? { triggers, yamlMs: measureYamlTime(triggers) } : await measureLoadTimes(triggers)),
  );
}
