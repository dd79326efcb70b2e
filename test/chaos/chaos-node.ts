import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pause } from './history.ts';

const bin = join(import.meta.dirname, '../../src/cli/bin.ts');
const wrapper = new URL('wrapper.mjs', import.meta.url).href;

/** A supervisor waits so long before it starts a process again that has failed. */
const restartDelayMs = 300;
/** Clocks of nodes are wrong by up to this. */
const mostShiftMs = 6 * 3_600_000;

/** What all nodes have seen. */
export interface NodeLog {
  readonly pauses: Pause[];
  readonly deaths: string[];
  /** Why processes ended before they served. */
  readonly failedStarts: string[];
  lives: number;
}

/** `pullcord serve` under a supervisor that starts it again, each time with another name and another clock. */
export class ChaosNode {
  /** Of the public listener, while the gateway serves. */
  url: string | undefined;
  /** Whether it is paused or cut off: others are disturbed meanwhile. */
  isDisturbed = false;
  readonly #root: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #log: NodeLog;
  #life: { readonly name: string; readonly child: ChildProcess; readonly said: string[] } | undefined;
  #pausedSince: number | undefined;
  #starting: Promise<void> | undefined;
  #isOver = false;

  constructor(root: string, environment: Readonly<Record<string, string>>, log: NodeLog) {
    this.#root = root;
    this.#environment = environment;
    this.#log = log;
  }

  /** Resolves when it serves. */
  start(): Promise<void> {
    this.#starting ??= this.#startAgain().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** As an update does it. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Stops the process where it is, for a while. */
  async pause(ms: number): Promise<void> {
    const child = this.#life?.child;
    if (child === undefined || this.#pausedSince !== undefined) return;
    this.#pausedSince = performance.now();
    child.kill('SIGSTOP');
    await sleep(ms);
    if (this.#life?.child !== child) return;
    this.#awake();
    child.kill('SIGCONT');
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    this.#isOver = true;
    await this.#end('SIGKILL');
  }

  async #startAgain(): Promise<void> {
    while (!this.#isOver && !(await this.#launch())) await sleep(restartDelayMs);
  }

  /** Whether it serves; false: it has ended before. */
  async #launch(): Promise<boolean> {
    this.#log.lives += 1;
    const name = `chaos-node-${this.#log.lives}`;
    const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
    const child = spawn(process.execPath, [bin, 'serve', '--config', this.#root], {
      env: {
        ...{ PATH, NODE_COMPILE_CACHE, PULLCORD_LOG_LEVEL: 'info', NODE_OPTIONS: `--import=${wrapper}` },
        ...{ CHAOS_NODE: name, CHAOS_CLOCK_SHIFT_MS: String(Math.round((Math.random() * 2 - 1) * mostShiftMs)) },
        ...this.#environment,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const life = { name, child, said: [] as string[] };
    this.#life = life;
    const serving = Promise.withResolvers<boolean>();
    createInterface(child.stderr).on('line', (line) => {
      life.said.push(line);
      if (life.said.length > 40) life.said.shift();
      if (!line.includes('"serving"')) return;
      this.url = JSON.parse(line).url;
      serving.resolve(true);
    });
    child.once('exit', () => {
      const hadServed = this.url !== undefined;
      serving.resolve(false);
      if (this.#life !== life) return;
      // Nobody has ended it.
      this.#life = undefined;
      this.url = undefined;
      this.#awake();
      const words = `${name}: ${life.said.slice(-8).join('\n')}`;
      (hadServed ? this.#log.deaths : this.#log.failedStarts).push(words);
      if (hadServed) void this.start();
    });
    return serving.promise;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    this.#life = undefined;
    this.url = undefined;
    const exited = once(life.child, 'exit');
    this.#awake(life.name);
    life.child.kill('SIGCONT');
    life.child.kill(signal);
    await exited;
  }

  #awake(name = this.#life?.name): void {
    if (this.#pausedSince === undefined) return;
    if (name !== undefined) this.#log.pauses.push({ node: name, from: this.#pausedSince, to: performance.now() });
    this.#pausedSince = undefined;
  }
}
