import { fileURLToPath } from 'node:url';
import type { AnySchema } from 'ajv';
import type { Answer } from '../../../src/filter/isolation/protocol.ts';
import { NoWorkerError, WorkerPool } from '../../../src/filter/isolation/worker-pool.ts';
import type { SchemaJob } from './protocol.ts';

const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

/** Shared by all schemas, so that the number of processes does not grow with theirs. */
const pool = new WorkerPool<SchemaJob>(fileURLToPath(new URL(`./worker${extension}`, import.meta.url)));

/** How long a worker may compile a schema, in milliseconds, beside the time limit of validation. */
const preparationMs = 30_000;

/** The reason why a body was not validated. */
export class IsolationError extends Error {
  override readonly name = 'IsolationError';
  /** Whether it is the machine that was too slow, and not the body that is too large. */
  readonly isOutOfTime: boolean;

  constructor(message: string, { isOutOfTime = false } = {}) {
    super(message);
    this.isOutOfTime = isOutOfTime;
  }
}

/** A schema that bodies are validated against in a sandboxed process. */
export class IsolatedSchema {
  readonly #schema: AnySchema;
  readonly #timeoutMs: number;
  readonly #attempts: number;
  readonly #underWay = new Set<Promise<unknown>>();
  #holds = false;
  #closing: Promise<void> | undefined;

  /** @param attempts how often it asks for a process: on a busy machine, one may take long to start */
  constructor(schema: AnySchema, timeoutMs: number, attempts = 1) {
    this.#schema = schema;
    this.#timeoutMs = timeoutMs;
    this.#attempts = attempts;
  }

  /** Starts a process before the first body needs it. */
  start(): void {
    if (this.#holds) return;
    this.#holds = true;
    pool.hold();
  }

  /** Rejects with an IsolationError. */
  async evaluate(wants: SchemaJob['wants'], input: unknown): Promise<unknown> {
    if (this.#closing !== undefined) throw new IsolationError('the filter is closed');
    this.start();
    const limits = { timeoutMs: this.#timeoutMs };
    const answered = this.#answerTo({ wants, schema: this.#schema, input, limits, preparationMs });
    this.#underWay.add(answered);
    const answer = await answered.catch(unanswered).finally(() => this.#underWay.delete(answered));
    if (answer.kind === 'value') return answer.value;
    const isOutOfTime = answer.code === 'D1012';
    throw new IsolationError(reasons.get(answer.code) ?? 'the schema could not be evaluated', { isOutOfTime });
  }

  async #answerTo(job: SchemaJob): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await pool.evaluate(this, job);
      } catch (error) {
        if (!(error instanceof NoWorkerError) || attempt === this.#attempts) throw error;
      }
    }
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#underWay).then(() => (this.#holds ? pool.release() : undefined));
    return this.#closing;
  }
}

function unanswered(error: unknown): never {
  throw error instanceof NoWorkerError ? new IsolationError(error.message, { isOutOfTime: true }) : error;
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['D1011', 'the body nests too deeply'],
  ['D1012', 'validation takes too long'],
  ['D2015', 'validation takes too much memory'],
]);
