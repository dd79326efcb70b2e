import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Environment, Program } from '../../../src/run-kit/index.ts';
import { signalGroup, startFault } from '../process-group.ts';

/** Why a program was ended. */
export type StopCause = 'output' | 'abort' | 'close';

export type Ending =
  | { readonly kind: 'exited'; readonly code: number; readonly stdout: Buffer }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'stopped'; readonly cause: StopCause }
  /** It never ran; the code of the system call, e.g. `ENOENT`. */
  | { readonly kind: 'not_started'; readonly code: string };

export interface Limits {
  readonly maxOutputBytes: number;
  readonly killGraceMs: number;
}

/** A running program. */
export interface AgentProcess {
  /** Never rejects. By then the whole process group has ended. */
  readonly ended: Promise<Ending>;
  /** How many bytes it has written so far. */
  readonly written: { readonly stdoutBytes: number; readonly stderrBytes: number };
  /** The end of what it has written on stderr, at most 4 KiB, after `…` if there was more. */
  readonly lastWords: string;
  /** Ends the program and its descendants: SIGTERM, and SIGKILL after the grace. The first cause stays. */
  stop(cause: StopCause): void;
}

/**
 * Starts a program with `input` on its stdin, in a process group of its own, so that its descendants can be ended too.
 * @param onStdout called with what it writes, as long as that is within the limits
 */
export function startAgent(
  program: Program,
  env: Environment,
  input: string,
  limits: Limits,
  onStdout: (chunk: Buffer) => void = () => {},
): AgentProcess {
  let child: ChildProcessWithoutNullStreams;
  try {
    child = spawn(program.file, program.arguments, { cwd: program.cwd, env, detached: true });
  } catch (error) {
    // Some errors of the system call are thrown, e.g. E2BIG, and others emitted, e.g. ENOENT.
    return neverStarted(Promise.resolve(notStarted(error)));
  }
  // Without a process there may be no streams either (EMFILE), whatever the types say.
  if (child.pid === undefined) return neverStarted(once(child, 'error').then(([error]) => notStarted(error)));
  // A program may end without having read its input (EPIPE, ECONNRESET), which is no failure.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new ProcessGroup(child.pid, child, limits, onStdout);
}

function neverStarted(ended: Promise<Ending>): AgentProcess {
  return { ended, written: { stdoutBytes: 0, stderrBytes: 0 }, lastWords: '', stop() {} };
}

function notStarted(error: unknown): Ending {
  return { kind: 'not_started', code: startFault(error) };
}

/** How long stdout must be silent, in milliseconds, when the group was killed but a process that left it keeps stdout open. */
const silenceMs = 200;

const lastWordsBytes = 4096;

class ProcessGroup implements AgentProcess {
  readonly ended: Promise<Ending>;
  readonly written = { stdoutBytes: 0, stderrBytes: 0 };
  readonly #id: number;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #limits: Limits;
  readonly #report: (chunk: Buffer) => void;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #chunks: Buffer[] = [];
  readonly #resolve: (ending: Ending) => void;
  #stderr: Buffer = Buffer.alloc(0);
  #silence: NodeJS.Timeout | undefined;
  #exit: { readonly code: number; readonly signal: string | null } | undefined;
  #stopCause: StopCause | undefined;
  #isKilled = false;
  #isFinished = false;

  constructor(id: number, child: ChildProcessWithoutNullStreams, limits: Limits, report: (chunk: Buffer) => void) {
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.#resolve = resolve;
    this.#id = id;
    this.#child = child;
    this.#limits = limits;
    this.#report = report;
    child.stdout.on('data', (chunk: Buffer) => this.#onStdout(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      this.written.stderrBytes += chunk.length;
      this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-lastWordsBytes);
    });
    child.on('exit', (code, signal) => this.#onExit(code ?? 0, signal));
    child.on('close', () => this.#finish(this.#ending()));
  }

  get lastWords(): string {
    const text = this.#stderr.toString('utf8');
    return this.written.stderrBytes > this.#stderr.length ? `…${text}` : text;
  }

  stop(cause: StopCause): void {
    if (this.#stopCause !== undefined || this.#isFinished) return;
    this.#stopCause = cause;
    signalGroup(this.#id, 'SIGTERM');
    this.#after(this.#limits.killGraceMs, () => this.#kill());
  }

  #onStdout(chunk: Buffer): void {
    this.written.stdoutBytes += chunk.length;
    // Excess output is read and dropped: a program that cannot write could not end gracefully either.
    if (this.written.stdoutBytes > this.#limits.maxOutputBytes) this.stop('output');
    if (this.#stopCause !== undefined) return;
    this.#chunks.push(chunk);
    this.#report(chunk);
    this.#silence?.refresh();
  }

  #onExit(code: number, signal: string | null): void {
    this.#exit = { code, signal };
    // A program that ended by itself leaves no descendants; those of a program that was stopped have their grace.
    if (this.#stopCause === undefined || this.#isKilled) this.#kill();
  }

  #kill(): void {
    this.#isKilled = true;
    signalGroup(this.#id, 'SIGKILL');
    if (this.#exit === undefined) return;
    // Without writers 'close' comes next. Only a process that has left the group can delay it.
    this.#silence ??= this.#after(silenceMs, () => this.#finishUnlessWritten());
  }

  /** Timers run before input is read: after a long turn of the event loop there may be more to read. */
  #finishUnlessWritten(): void {
    const { stdoutBytes } = this.written;
    setImmediate(() => {
      if (this.#stopCause !== undefined || this.written.stdoutBytes === stdoutBytes) this.#finish(this.#ending());
    });
  }

  #ending(): Ending {
    if (this.#stopCause !== undefined) return { kind: 'stopped', cause: this.#stopCause };
    const { code = 0, signal = null } = this.#exit ?? {};
    if (signal !== null) return { kind: 'killed', signal };
    return { kind: 'exited', code, stdout: Buffer.concat(this.#chunks) };
  }

  #finish(ending: Ending): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    for (const timer of this.#timers) clearTimeout(timer);
    signalGroup(this.#id, 'SIGKILL');
    for (const stream of this.#child.stdio) stream?.destroy();
    this.#resolve(ending);
  }

  #after(delayMs: number, action: () => void): NodeJS.Timeout {
    const timer = setTimeout(action, delayMs);
    this.#timers.push(timer);
    return timer;
  }
}
