import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { configFolder } from './config-folder.ts';

const script = join(import.meta.dirname, 'langgraph/server.ts');

/** Starts LangGraph's in-memory server, with the graphs of the tests, on a free port; gives its URL. It ends with the test. */
export async function startLangGraphServer(t: Test): Promise<string> {
  // It keeps what it stores in the folder that it works in. Nothing of the environment may have it trace what it does.
  const cwd = await configFolder(t, {});
  const server = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, script], {
    cwd,
    env: { PATH: process.env.PATH ?? '' },
    stdio: 'pipe',
  });
  t.teardown(() => ended(server));
  const started = Promise.withResolvers<string>();
  const said: string[] = [];
  for (const output of [server.stdout, server.stderr]) {
    createInterface(output).on('line', (line) => {
      said.push(line);
      const [, address] = /^listening on (\S+)$/.exec(line) ?? [];
      if (address !== undefined) started.resolve(`http://${address}`);
    });
  }
  server.once('exit', () => started.reject(new Error(`LangGraph's server did not start: ${said.join('\n')}`)));
  return started.promise;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
