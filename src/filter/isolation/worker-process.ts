import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Answer, Message, PooledJob } from './protocol.ts';

/** Heap limit of a worker, in MiB. */
const maxHeapMiB = 128;
/** Grace period after the time limit in which the worker may still answer by itself, in milliseconds. */
const graceMs = 10;

/** The sandbox (Node's permission model): a worker may only read files, to load its code, and start threads. */
const restrictions = ['--permission', '--allow-fs-read=*', '--allow-worker'];

/** The parent's handle of a worker: a process that shares nothing with this one except a JSON channel. */
export class WorkerProcess {
  /** Resolves when the worker accepts jobs, or when it exited before that: killed, or by itself. */
  readonly started: Promise<'ready' | 'killed' | 'failed'>;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  #hasExited = false;
  #settle: ((answer: Answer) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timeoutMs = 0;

  /**
   * @param entry the file that it runs
   * @param isRestricted whether it runs under Node's permission model
   */
  constructor(entry: string, isRestricted: boolean) {
    this.#child = fork(entry, [], {
      // Inherits neither the parent's environment, which may hold secrets, nor its flags and preloads.
      env: {},
      execArgv: [`--max-old-space-size=${maxHeapMiB}`, ...(isRestricted ? restrictions : [])],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'json',
    });
    this.#refer(false);
    this.exited = once(this.#child, 'close').then(
      () => {},
      () => {},
    );
    this.started = new Promise((resolve) => {
      this.#child.once('message', () => {
        this.#child.on('message', (message: Message) => {
          if (message.kind === 'started') this.#limit(this.#timeoutMs);
          else if (message.kind !== 'ready') this.#answer(message);
        });
        resolve('ready');
      });
      const ended = (code: number | null | Error) => {
        this.#hasExited = true;
        // The job killed it: it ran out of memory, or the system's OOM killer ended it.
        this.#answer({ kind: 'error', code: 'D2015' });
        resolve(code === null ? 'killed' : 'failed');
      };
      this.#child.once('exit', ended);
      this.#child.once('error', ended);
    });
  }

  get isAlive(): boolean {
    return !this.#hasExited && this.#child.connected;
  }

  /** Evaluates one job at a time. A job that does not answer in time is killed with its process. */
  async evaluate(job: PooledJob): Promise<Answer> {
    this.#refer(true);
    const answered = new Promise<Answer>((resolve) => {
      this.#settle = resolve;
    });
    this.#timeoutMs = job.limits.timeoutMs;
    this.#limit(this.#timeoutMs + (job.preparationMs ?? 0));
    try {
      this.#child.send(job, (error) => {
        if (error !== null) this.kill();
      });
    } catch {
      // The job nests too deeply to serialize as JSON.
      this.#answer({ kind: 'error', code: 'D1011' });
    }
    const answer = await answered;
    clearTimeout(this.#timer);
    if (!this.#hasExited) this.#refer(false);
    return answer;
  }

  kill(): void {
    this.#hasExited = true;
    // So that callers awaiting the exit are notified.
    this.#refer(true);
    this.#child.kill('SIGKILL');
  }

  /** Kills the worker unless it answers in time. */
  #limit(limitMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#overrun(), limitMs + graceMs);
  }

  #overrun(): void {
    this.kill();
    this.#answer({ kind: 'error', code: 'D1012' });
  }

  #answer(answer: Answer): void {
    this.#settle?.(answer);
    this.#settle = undefined;
  }

  /** A worker keeps this process alive only while it evaluates. */
  #refer(isWorking: boolean): void {
    if (isWorking) {
      this.#child.ref();
      this.#child.channel?.ref();
    } else {
      this.#child.unref();
      this.#child.channel?.unref();
    }
  }
}
