import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { within } from '../support/patience.ts';

export interface Reload {
  readonly revision: string;
  readonly gitCommit: string | undefined;
  /** How long it waited until nobody wrote the files. */
  readonly settledMs: number;
}

/** How long a config that is on disk may take to be served, in milliseconds, scaled. */
const servedMs = 60_000;

/** `pullcord serve` in a process of its own, whose log is read. */
export class LoggingGateway {
  readonly reloads: Reload[] = [];
  /** Problems for which a reload was refused. */
  readonly refusals: unknown[] = [];
  readonly url: string;
  #serving: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<string, () => void>();

  static async start(root: string): Promise<LoggingGateway> {
    const bin = join(import.meta.dirname, '../../src/cli/bin.ts');
    const child = spawn(process.execPath, [bin, 'serve', '--config', root], {
      env: { PATH: process.env.PATH ?? '', PULLCORD_LOG_LEVEL: 'info' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const lines = createInterface(child.stderr);
    const said: string[] = [];
    return new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error(`the gateway did not start: ${said.join('\n')}`)));
      lines.on('line', (line) => {
        said.push(line);
        if (!line.includes('"serving"')) return;
        lines.removeAllListeners('line');
        resolve(new LoggingGateway(child, JSON.parse(line), lines));
      });
    });
  }

  private constructor(
    child: ChildProcess,
    { url, revision }: { readonly url: string; readonly revision: string },
    lines: NodeJS.EventEmitter,
  ) {
    this.#child = child;
    this.url = url;
    this.#serving = revision;
    lines.on('line', (line: string) => this.#read(line));
  }

  /** Resolves when that revision serves. */
  async serves(revision: string): Promise<void> {
    if (this.#serving === revision) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(revision, resolve);
    await within(promise, servedMs, `revision ${revision} serves`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }

  #read(line: string): void {
    if (!line.startsWith('{')) return;
    const { msg, revision, gitCommit, settledMs, problems } = JSON.parse(line);
    if (msg?.startsWith('config reload rejected')) this.refusals.push(problems);
    if (msg !== 'config reloaded') return;
    this.reloads.push({ revision, gitCommit, settledMs });
    this.#serving = revision;
    this.#waiting.get(revision)?.();
    this.#waiting.delete(revision);
  }
}
