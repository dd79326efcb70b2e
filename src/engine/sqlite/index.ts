import { existsSync, statSync } from 'node:fs';
import { dirname, join, parse, resolve } from 'node:path';
import type { EngineContext, EngineDefinition, OpenedEngine } from '../definition.ts';
import { ExecutionEngine } from '../execution/execution-engine.ts';
import type { Clock } from '../execution/timers.ts';
import { copying } from './copying/index.ts';
import { isDatabase } from './database-header.ts';
import { Journal } from './journal.ts';
import type { Options } from './options.gen.ts';
import optionsSchema from './options.schema.json' with { type: 'json' };

export type { Options as SqliteEngineOptions } from './options.gen.ts';

/** Keeps everything in a file, so that accepted runs survive any crash. No server, nothing to install. */
export const sqlite: EngineDefinition<Options> = {
  name: 'sqlite',
  summary:
    'Keeps runs, dedup claims, conversations and recorded requests in a SQLite file: what is accepted survives any crash.',
  optionsSchema,
  isDurable: true,
  isThere: ({ path }, context) => existsSync(context.resolvePath(path)),
  create: (options, context) => createSqliteEngine({ ...options, path: context.resolvePath(options.path) }, context),
  async recover({ path }, context, target) {
    const { recoverJournal } = await import('./recovery/recover.ts');
    const from = context.resolvePath(path);
    return recoverJournal(from, targetOf(from, target));
  },
  async openRecordings(source) {
    if (!(await isDatabase(source))) return undefined;
    const { readRecordings } = await import('./read-recordings.ts');
    return readRecordings(source);
  },
  copying,
};

/** @param options with an absolute path */
export async function createSqliteEngine(
  options: Options,
  { log, memory, commits }: Pick<EngineContext, 'log' | 'memory' | 'commits'>,
  clock: Clock = Date,
): Promise<OpenedEngine> {
  const { path, maxSize: maxSizeBytes, retention } = options;
  const store = await Journal.open({ path, maxSizeBytes, retention }, clock, commits);
  const engine = new ExecutionEngine({ store, options, clock, log, isDurable: sqlite.isDurable, memory });
  return { engine, recordings: store.recordings, audit: store.audit, notes: store.notes };
}

/** Where a recovered journal goes. */
function targetOf(from: string, target: string | undefined): string {
  const { name, ext } = parse(from);
  const file = `${name}.recovered${ext}`;
  if (target === undefined) return join(dirname(from), file);
  return statSync(target, { throwIfNoEntry: false })?.isDirectory() ? resolve(target, file) : resolve(target);
}
