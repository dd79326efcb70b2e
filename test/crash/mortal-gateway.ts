import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** `pullcord serve` in a process that is killed. */
export class MortalGateway {
  /** Of the public listener, while the gateway lives. */
  url: string | undefined;
  readonly #root: string;
  #child: ChildProcess | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  async start(): Promise<void> {
    const bin = join(import.meta.dirname, '../../src/cli/bin.ts');
    const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
    const child = spawn(process.execPath, [bin, 'serve', '--config', this.#root], {
      env: { PATH, NODE_COMPILE_CACHE, PULLCORD_LOG_LEVEL: 'info' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    const said: string[] = [];
    for await (const line of createInterface(child.stderr)) {
      said.push(line);
      const url = line.includes('"serving"') ? JSON.parse(line).url : undefined;
      if (url === undefined) continue;
      this.url = url;
      child.stderr.resume();
      return;
    }
    throw new Error(`the gateway did not start: ${said.join('\n')}`);
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** As a supervisor stops it. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.url = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}
