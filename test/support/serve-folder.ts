import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { startCommand } from './command.ts';

/** Starts `serve` for a config folder, on free ports, and ends it with the test. Returns the URL of its public listener. */
export async function serveFolder(t: Test, config: string, env: Record<string, string> = {}): Promise<string> {
  const gateway = join(config, 'gateway.yaml');
  await writeFile(gateway, (await readFile(gateway, 'utf8')).replaceAll(/port: \d+/g, 'port: 0'));
  const child = startCommand(t, ['serve', '--config', config], { env });
  if (child.stderr === null) throw new Error('no stderr');
  const lines: string[] = [];
  const serving = new Promise<string>((resolve, reject) => {
    createInterface(child.stderr ?? process.stdin).on('line', (line) => {
      lines.push(line);
      const { msg, url } = JSON.parse(line);
      if (msg === 'serving') resolve(url);
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${lines.slice(0, 3).join('\n')}`)));
  });
  t.teardown(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  });
  return serving;
}
