import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer, Job, Message } from './protocol.ts';

/** MiB of heap of a worker. */
const maxHeapMiB = 128;
/** How long after its limit an evaluation may still answer by itself, in milliseconds. */
const graceMs = 10;

const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const entry = fileURLToPath(new URL(`./worker${extension}`, import.meta.url));

/** Node's permission model: of all that a process can do, it may read files, which its own code is, and start threads. */
const restrictions = ['--permission', '--allow-fs-read=*', '--allow-worker'];

/** The parent's end of a worker: a process that shares nothing with this one but a channel of JSON. */
export class WorkerProcess {
  /** Resolves when it can be given its first job, or has come to its end before: killed, or by itself. */
  readonly started: Promise<'ready' | 'killed' | 'failed'>;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  #hasExited = false;
  #settle: ((answer: Answer) => void) | undefined;

  /** @param isRestricted whether Node's permission model keeps it from doing anything but evaluate */
  constructor(isRestricted: boolean) {
    this.#child = fork(entry, [], {
      // Nothing of the parent's: neither its environment, which may hold secrets, nor its flags and preloads.
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
          if (message.kind !== 'ready') this.#answer(message);
        });
        resolve('ready');
      });
      const ended = (code: number | null | Error) => {
        this.#hasExited = true;
        // It died of the job: out of memory, or killed by the system for it.
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

  /** Evaluates one job, or ends the process with it. One at a time. */
  async evaluate(job: Job): Promise<Answer> {
    this.#refer(true);
    const answered = new Promise<Answer>((resolve) => {
      this.#settle = resolve;
    });
    const timer = setTimeout(() => this.#overrun(), job.limits.timeoutMs + graceMs);
    try {
      this.#child.send(job, (error) => {
        if (error !== null) this.kill();
      });
    } catch {
      // Nested too deeply to become JSON.
      this.#answer({ kind: 'error', code: 'D1011' });
    }
    const answer = await answered;
    clearTimeout(timer);
    if (!this.#hasExited) this.#refer(false);
    return answer;
  }

  kill(): void {
    this.#hasExited = true;
    // So that whoever awaits the exit sees it.
    this.#refer(true);
    this.#child.kill('SIGKILL');
  }

  #overrun(): void {
    this.kill();
    this.#answer({ kind: 'error', code: 'D1012' });
  }

  #answer(answer: Answer): void {
    this.#settle?.(answer);
    this.#settle = undefined;
  }

  /** Only while it works does it keep this process from ending. */
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
