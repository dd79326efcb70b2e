import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import {
  isJSONRPCRequest,
  type JSONRPCMessage,
  parseJSONRPCMessage,
  type RequestId,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import { OutboundError } from '../../../src/contract/index.ts';
import type { Environment } from '../environment.ts';
import { longestTimerMs } from '../longest-timer.ts';
import type { Program } from '../program.ts';
import type { Message } from './message.ts';
import { failedAnswer, noMcp } from './own-answer.ts';
import { ProgramOutput } from './program-output.ts';
import { Replies } from './replies.ts';

export interface ProgramLimits {
  readonly maxMessageBytes: number;
  /** How long the server may take to end once its stdin is closed, and again after SIGTERM. */
  readonly killGraceMs: number;
}

/** How long what has left the process group may keep stdout open once the server has ended, in milliseconds. */
const leftoverMs = 200;

/** So much may wait to be read by the server before it is taken for one that does not read, in bytes. */
const mostUnread = 16 * 1024 * 1024;

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
  /** Called as soon as it is of no more use; it is closed when the program has ended. */
  onfail: (() => void) | undefined;
  /** By these two the SDK knows a transport of this sort. */
  readonly stderr = null;
  #child: ChildProcess | undefined;
  #failure: OutboundError | undefined;
  #isClosed = false;
  readonly #ended = Promise.withResolvers<void>();
  readonly #program: Program;
  readonly #environment: Environment;
  readonly #killGraceMs: number;
  readonly #output: ProgramOutput;
  /** The requests that it has not answered. */
  readonly #awaited = new Map<string, RequestId>();
  readonly #replies = new Replies((reply) => this.send(reply));

  constructor(program: Program, environment: Environment, { maxMessageBytes, killGraceMs }: ProgramLimits) {
    this.#program = program;
    this.#environment = environment;
    this.#killGraceMs = killGraceMs;
    this.#output = new ProgramOutput(maxMessageBytes, (message) => this.#onMessage(message));
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
    if (stdin.writableLength > mostUnread) throw this.#fail(deaf());
    if (isJSONRPCRequest(message)) {
      this.#awaited.set(String(message.id), message.id);
      this.#output.expect();
    } else if ('method' in message && message.method === 'notifications/cancelled') {
      this.#awaited.delete(String(message.params?.requestId));
    }
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
    const read = this.#read(child.stdout);
    child.once('exit', () => {
      this.#signal('SIGKILL');
      setTimeout(() => child.stdout?.destroy(), leftoverMs);
    });
    child.once('close', async (code: number | null, signal: string | null) => {
      // The last that it wrote may be an answer.
      await read;
      if (!this.#isClosed && code !== 0) this.#fail(ended(code, signal));
      this.#child = undefined;
      this.#ended.resolve();
      this.onclose?.();
    });
  }

  async #read(stdout: Readable | null): Promise<void> {
    try {
      if (stdout !== null) await this.#output.read(stdout);
    } catch (error) {
      const known = OutboundError.from(error);
      if (known !== undefined) this.#fail(known);
      else {
        // As a rule it has ended, and the pipe was cut off because something that it had started kept it open.
        this.onerror?.(error as Error);
        void this.close();
      }
    }
  }

  #onMessage(message: Message): boolean {
    if (message.kind === 'request') this.#replies.give(message);
    if (message.kind !== 'answer' || !this.#awaited.delete(String(message.id))) return false;
    let answer: JSONRPCMessage;
    try {
      answer = parseJSONRPCMessage(message.value);
    } catch {
      answer = failedAnswer(message.id, noMcp());
    }
    this.onmessage?.(answer);
    return true;
  }

  #fail(failure: OutboundError): OutboundError {
    if (this.#failure !== undefined) return this.#failure;
    this.#failure = failure;
    this.onfail?.();
    for (const id of this.#awaited.values()) this.onmessage?.(failedAnswer(id, failure));
    this.#awaited.clear();
    void this.close();
    return failure;
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

function ended(code: number | null, signal: string | null): OutboundError {
  const how = code === null ? `by ${signal}` : `with exit code ${code}`;
  return new OutboundError('ERR_SERVER_ENDED', `the MCP server ended ${how}`, true);
}

function deaf(): OutboundError {
  return new OutboundError('ERR_SERVER_DEAF', 'the MCP server does not read what it is sent', true);
}

/** Names the error by its code alone: messages hold paths. */
function notStarted(error: unknown): OutboundError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return new OutboundError(code, `the MCP server could not be started (${code})`, true);
}
