import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import {
  deserializeMessage,
  type JSONRPCMessage,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import { OutboundError } from '../../../src/contract/index.ts';
import type { Environment } from '../command/environment.ts';
import type { Program } from '../command/program.ts';
import { Lines } from './lines.ts';

export interface ProgramLimits {
  readonly maxMessageBytes: number;
  /** How long the server may take to end once its stdin is closed, and again after SIGTERM. */
  readonly killGraceMs: number;
}

/** The longest delay that a timer of Node takes, about 24.8 days; longer ones would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** How long what has left the process group may keep stdout open once the server has ended, in milliseconds. */
const leftoverMs = 200;

/**
 * A server that is a program and speaks on stdin and stdout. The SDK's own transport ends the program alone; this one
 * puts it at the head of a process group, so that nothing is left of one that is started by `npx` or the like. When the
 * gateway is killed, the server's stdin closes, which tells it to end. What it writes on stderr may hold anything, and
 * goes nowhere.
 */
export class ProgramTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: Transport['onmessage'];
  /** By these two the SDK knows a transport of this sort. */
  readonly stderr = null;
  #child: ChildProcess | undefined;
  #failure: OutboundError | undefined;
  #isClosed = false;
  readonly #ended = Promise.withResolvers<void>();
  readonly #program: Program;
  readonly #environment: Environment;
  readonly #killGraceMs: number;
  readonly #lines: Lines;

  constructor(program: Program, environment: Environment, { maxMessageBytes, killGraceMs }: ProgramLimits) {
    this.#program = program;
    this.#environment = environment;
    this.#killGraceMs = killGraceMs;
    this.#lines = new Lines(maxMessageBytes, (line) => this.#onLine(line));
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Why it was closed, where that says more than that it was. */
  get failure(): OutboundError | undefined {
    return this.#failure;
  }

  async start(): Promise<void> {
    const { file, arguments: args, cwd } = this.#program;
    let child: ChildProcess;
    try {
      child = spawn(file, args, {
        cwd,
        env: this.#environment,
        detached: true,
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      await once(child, 'spawn');
    } catch (error) {
      throw notStarted(error);
    }
    this.#child = child;
    this.#listen(child);
    // Closed while it was being started: it would be nobody's.
    if (this.#isClosed) {
      await this.close();
      throw lost();
    }
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (!stdin?.writable) throw lost();
    await write(stdin, serializeMessage(message));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#child === undefined) return;
    this.#child.stdin?.end();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (await this.#endsWithin(this.#killGraceMs)) return;
      this.#signal(signal);
    }
    await this.#ended.promise;
  }

  #listen(child: ChildProcess): void {
    child.on('error', (error) => this.onerror?.(error));
    // One that ended does not read any more: EPIPE, and its end is told of anyway.
    child.stdin?.on('error', () => {});
    child.stdout?.on('data', (chunk: Buffer) => this.#onStdout(chunk));
    child.once('exit', () => {
      this.#signal('SIGKILL');
      setTimeout(() => child.stdout?.destroy(), leftoverMs);
    });
    child.once('close', () => {
      this.#child = undefined;
      this.#ended.resolve();
      this.onclose?.();
    });
  }

  #onStdout(chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    this.#failure = this.#lines.take(chunk);
    if (this.#failure !== undefined) void this.close();
  }

  /** What is no message of MCP is passed over: servers that log to stdout are many. */
  #onLine(line: string): void {
    let message: JSONRPCMessage;
    try {
      message = deserializeMessage(line);
    } catch {
      return;
    }
    this.onmessage?.(message);
  }

  async #endsWithin(limitMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, Math.min(limitMs, longestTimerMs), false);
    });
    const isEnded = await Promise.race([this.#ended.promise.then(() => true), late]);
    clearTimeout(timer);
    return isEnded;
  }

  /** Signals the whole group: its id is the process id of its first member. */
  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // ESRCH: all have ended. EPERM, on macOS: all have ended and are not yet collected.
    }
  }
}

function write(stdin: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stdin.write(text, (error) => (error ? reject(lost()) : resolve()));
  });
}

function lost(): OutboundError {
  return new OutboundError('ERR_SERVER_ENDED', 'the MCP server has ended', true);
}

/** Names the error by its code alone: messages hold paths. */
function notStarted(error: unknown): OutboundError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return new OutboundError(code, `the MCP server could not be started (${code})`, true);
}
