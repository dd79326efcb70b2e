import { existsSync } from 'node:fs';
import type { EngineDefinition } from '../definition.ts';
import { ExecutionEngine } from '../execution/execution-engine.ts';
import type { Clock } from '../execution/timers.ts';
import { Journal } from './journal.ts';
import type { Options } from './options.gen.ts';
import optionsSchema from './options.schema.json' with { type: 'json' };

export type { Options as SqliteEngineOptions } from './options.gen.ts';

/** Keeps everything in a file, so that what is accepted survives any crash. No server, nothing to install. */
export const sqlite: EngineDefinition<Options> = {
  name: 'sqlite',
  summary:
    'Keeps runs, dedup claims, conversations and recorded requests in a SQLite file: what is accepted survives any crash.',
  optionsSchema,
  isThere: ({ path }, context) => existsSync(context.resolvePath(path)),
  create: (options, context) => createSqliteEngine({ ...options, path: context.resolvePath(options.path) }, context),
};

/** @param options with an absolute path */
export async function createSqliteEngine(
  options: Options,
  { log }: Pick<Parameters<typeof sqlite.create>[1], 'log'>,
  clock: Clock = Date,
): Promise<ExecutionEngine> {
  const { path, maxSize: maxSizeBytes, retention } = options;
  const store = await Journal.open({ path, maxSizeBytes, retention }, clock);
  return new ExecutionEngine({ store, options, clock, log, isDurable: true });
}
