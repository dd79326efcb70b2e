import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { AgentFault, failed, pause } from '../../../src/run-kit/index.ts';
import { signalGroup, startFault } from '../process-group.ts';
import type { Channel } from './channel.ts';
import type { ServerProgram } from './check-options.ts';
import { type Answer, cancellationOf, type Message, type Outgoing, type Request, textOfMessage } from './message.ts';
import type { Options } from './options.gen.ts';
import { ProgramOutput } from './program-output.ts';
import { Replies } from './replies.ts';

/** How long a process that has left the group may keep stdout open once the server has ended, in milliseconds. */
const leftoverMs = 200;

/** How much may wait to be read by the server before it counts as one that does not read, in bytes. */
const maxUnread = 16 * 1024 * 1024;

/**
 * A server that is a program and speaks on stdin and stdout. It is the head of a process group, so that nothing is left of
 * a server that `npx` or the like has started. If the gateway is killed, the server's stdin closes, which makes it end. Its
 * stderr is dropped: it may hold anything.
 */
export class ProgramChannel implements Channel {
  readonly mayBeAsked = false;
  revision: string | undefined;
  readonly #server: ServerProgram;
  readonly #killGraceMs: number;
  readonly #onFail: () => void;
  readonly #output: ProgramOutput;
  readonly #replies = new Replies((reply) => this.notify(reply));
  /** The requests that are not answered, by their ids. */
  readonly #awaited = new Map<string, PromiseWithResolvers<Answer>>();
  readonly #ended = new AbortController();
  #running: Promise<ChildProcess> | undefined;
  #closing: Promise<void> | undefined;
  #failure: AgentFault | undefined;

  /** @param onFail called as soon as the server has failed or ended: the channel takes no further requests */
  constructor(server: ServerProgram, { maxResponse, killGrace }: Options, onFail: () => void) {
    this.#server = server;
    this.#killGraceMs = killGrace;
    this.#onFail = onFail;
    this.#output = new ProgramOutput(maxResponse, (message) => this.#onMessage(message));
  }

  /** The first request starts the program. */
  async request(request: Request, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const id = String(request.id);
    const awaited = Promise.withResolvers<Answer>();
    this.#awaited.set(id, awaited);
    this.#output.expect();
    const onAbort = (): void => {
      awaited.reject(signal.reason);
      const cancellation = cancellationOf(request);
      if (cancellation !== undefined) this.notify(cancellation).catch(() => {});
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.notify(request).catch(awaited.reject);
    try {
      return await awaited.promise;
    } finally {
      this.#awaited.delete(id);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async notify(message: Outgoing): Promise<void> {
    this.#running ??= this.#start();
    const { stdin } = await this.#running;
    if (this.#failure !== undefined) throw this.#failure;
    if (!stdin?.writable) throw hasEnded();
    if (stdin.writableLength > maxUnread) throw this.#fail(fault('the MCP server does not read what it is sent'));
    await new Promise<void>((resolve, reject) => {
      stdin.write(`${textOfMessage(message)}\n`, (error) => (error ? reject(hasEnded()) : resolve()));
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #start(): Promise<ChildProcess> {
    const { program, environment: env } = this.#server;
    const { file, arguments: args, cwd } = program;
    try {
      const child = spawn(file, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
      await once(child, 'spawn');
      this.#listen(child);
      return child;
    } catch (error) {
      throw fault(`the MCP server could not be started (${startFault(error)})`);
    }
  }

  #listen(child: ChildProcess): void {
    // A failure to signal it, and EPIPE if it has ended: 'close' reports that.
    child.on('error', () => {});
    child.stdin?.on('error', () => {});
    const read = child.stdout === null ? undefined : this.#output.read(child.stdout);
    // Fails without a fault if something that the program had started kept its stdout open and it was destroyed.
    const isRead = read?.catch((error) => void this.#fail(error instanceof AgentFault ? error : hasEnded()));
    child.once('exit', () => {
      signalGroup(child.pid, 'SIGKILL');
      setTimeout(() => child.stdout?.destroy(), leftoverMs);
    });
    child.once('close', async (code: number | null, signal: string | null) => {
      // The last message may be an answer.
      await isRead;
      this.#fail(endedWith(code, signal));
      this.#ended.abort();
    });
  }

  #onMessage(message: Message): boolean {
    if (message.kind === 'request') this.#replies.reply(message);
    const awaited = message.kind === 'answer' ? this.#awaited.get(message.id) : undefined;
    if (message.kind !== 'answer' || awaited === undefined) return false;
    awaited.resolve(message);
    return this.#awaited.delete(message.id);
  }

  #fail(failure: AgentFault): AgentFault {
    if (this.#failure !== undefined) return this.#failure;
    this.#failure = failure;
    for (const { reject } of this.#awaited.values()) reject(failure);
    this.#onFail();
    return failure;
  }

  async #end(): Promise<void> {
    const child = await this.#running?.catch(() => undefined);
    if (child === undefined) return;
    child.stdin?.end();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (await this.#endsWithin(this.#killGraceMs)) return;
      signalGroup(child.pid, signal);
    }
    await this.#endsWithin(Infinity);
  }

  #endsWithin(limitMs: number): Promise<boolean> {
    return pause(limitMs, this.#ended.signal).then(
      () => false,
      () => true,
    );
  }
}

function fault(message: string): AgentFault {
  return new AgentFault(failed(message, true));
}

function hasEnded(): AgentFault {
  return fault('the MCP server has ended');
}

function endedWith(code: number | null, signal: string | null): AgentFault {
  if (code === 0) return fault('the connection to the MCP server was closed');
  return fault(`the MCP server ended ${code === null ? `by ${signal}` : `with exit code ${code}`}`);
}
