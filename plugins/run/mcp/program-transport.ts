import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import {
  isJSONRPCRequest,
  type JSONRPCMessage,
  type RequestId,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import { AgentFault, type Environment, failed, type Program } from '../../../src/run-kit/index.ts';
import { signalGroup } from '../process-group.ts';
import { failedAnswer, type Message, sdkAnswer } from './message.ts';
import { ProgramOutput } from './program-output.ts';
import { Replies } from './replies.ts';

export interface ServerProgram {
  readonly program: Program;
  readonly environment: Environment;
}

export interface ProgramLimits {
  readonly maxMessageBytes: number;
  /** How long the server may take to end once its stdin is closed, and again after SIGTERM. */
  readonly killGraceMs: number;
}

/** How long a process that has left the group may keep stdout open once the server has ended, in milliseconds. */
const leftoverMs = 200;

/** How much may wait to be read by the server before it counts as one that does not read, in bytes. */
const maxUnread = 16 * 1024 * 1024;

/** Beyond this many milliseconds, 24.8 days, a timer of Node fires at once. */
export const longestTimerMs = 2 ** 31 - 1;

/**
 * A server that is a program and speaks on stdin and stdout. The SDK's own transport ends the program only; this one puts it
 * at the head of a process group, so that nothing is left of a server that `npx` or the like has started. If the gateway is
 * killed, the server's stdin closes, which makes it end. Its stderr is dropped: it may hold anything.
 */
export class ProgramTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: Transport['onmessage'];
  /** With `pid`, by which the SDK recognizes a transport of this kind. */
  readonly stderr = null;
  #child: ChildProcess | undefined;
  #failure: AgentFault | undefined;
  #isClosed = false;
  readonly #ended = Promise.withResolvers<void>();
  readonly #server: ServerProgram;
  readonly #killGraceMs: number;
  readonly #onFail: () => void;
  readonly #output: ProgramOutput;
  /** The requests that are not answered. */
  readonly #awaited = new Map<string, RequestId>();
  readonly #replies = new Replies((reply) => this.send(reply));

  /** @param onFail called as soon as the server has failed; the transport closes when its program has ended */
  constructor(server: ServerProgram, { maxMessageBytes, killGraceMs }: ProgramLimits, onFail: () => void) {
    this.#server = server;
    this.#killGraceMs = killGraceMs;
    this.#onFail = onFail;
    this.#output = new ProgramOutput(maxMessageBytes, (message) => this.#onMessage(message));
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Why it was closed, unless that was intended. */
  get failure(): AgentFault | undefined {
    return this.#failure;
  }

  async start(): Promise<void> {
    const { program, environment: env } = this.#server;
    const { file, arguments: args, cwd } = program;
    let child: ChildProcess;
    try {
      child = spawn(file, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
      await once(child, 'spawn');
    } catch (error) {
      throw notStarted(error);
    }
    this.#child = child;
    this.#listen(child);
    // Closed while the program was being started: nobody else would end it.
    if (this.#isClosed) {
      await this.close();
      throw hasEnded();
    }
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (!stdin?.writable) throw hasEnded();
    if (stdin.writableLength > maxUnread) throw this.#fail(doesNotRead());
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
    const { pid } = this;
    if (pid === undefined) return;
    this.#child?.stdin?.end();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (await this.#endsWithin(this.#killGraceMs)) return;
      signalGroup(pid, signal);
    }
    await this.#ended.promise;
  }

  #listen(child: ChildProcess): void {
    child.on('error', (error) => this.onerror?.(error));
    // EPIPE, if the program has ended: 'close' reports that.
    child.stdin?.on('error', () => {});
    const read = this.#read(child.stdout);
    child.once('exit', () => {
      signalGroup(child.pid, 'SIGKILL');
      setTimeout(() => child.stdout?.destroy(), leftoverMs);
    });
    child.once('close', async (code: number | null, signal: string | null) => {
      // The last message may be an answer.
      await read;
      if (!this.#isClosed && code !== 0) this.#fail(endedWith(code, signal));
      this.#child = undefined;
      this.#ended.resolve();
      this.onclose?.();
    });
  }

  async #read(stdout: Readable | null): Promise<void> {
    try {
      if (stdout !== null) await this.#output.read(stdout);
    } catch (error) {
      if (error instanceof AgentFault) return void this.#fail(error);
      // The program has ended, and its stdout was destroyed because something that it had started kept it open.
      this.onerror?.(error as Error);
      void this.close();
    }
  }

  #onMessage(message: Message): boolean {
    if (message.kind === 'request') this.#replies.reply(message);
    if (message.kind !== 'answer' || !this.#awaited.delete(String(message.id))) return false;
    this.onmessage?.(sdkAnswer(message));
    return true;
  }

  #fail(failure: AgentFault): AgentFault {
    if (this.#failure !== undefined) return this.#failure;
    this.#failure = failure;
    this.#onFail();
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
    const hasEnded = await Promise.race([this.#ended.promise.then(() => true), late]);
    clearTimeout(timer);
    return hasEnded;
  }
}

function write(stdin: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stdin.write(text, (error) => (error ? reject(hasEnded()) : resolve()));
  });
}

function fault(message: string): AgentFault {
  return new AgentFault(failed(message, true));
}

function hasEnded(): AgentFault {
  return fault('the MCP server has ended');
}

function endedWith(code: number | null, signal: string | null): AgentFault {
  return fault(`the MCP server ended ${code === null ? `by ${signal}` : `with exit code ${code}`}`);
}

function doesNotRead(): AgentFault {
  return fault('the MCP server does not read what it is sent');
}

/** Reports the code of the error alone: its message holds a path. */
function notStarted(error: unknown): AgentFault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return fault(`the MCP server could not be started (${code})`);
}
