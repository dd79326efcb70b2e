import { hostname } from 'node:os';
import type { EngineContext, EngineDefinition, OpenedEngine } from '../definition.ts';
import { copying } from './copying/index.ts';
import type { Options } from './options.gen.ts';
import optionsSchema from './options.schema.json' with { type: 'json' };

export type { Options as PostgresEngineOptions } from './options.gen.ts';

/** Keeps everything in PostgreSQL, for several gateways on one database. */
export const postgres: EngineDefinition<Options> = {
  name: 'postgres',
  summary:
    'Keeps runs, dedup claims, conversations, limits and recorded requests in PostgreSQL, which several gateways share: any of them may die at any moment.',
  optionsSchema,
  isDurable: true,
  isShared: true,
  async isThere(options, { resolvePath }) {
    const { isStoreThere } = await import('./open-store.ts');
    return isStoreThere(options, resolvePath);
  },
  async openRecordings(source) {
    if (!/^postgres(ql)?:\/\//.test(source)) return undefined;
    const { readRecordings } = await import('./open-store.ts');
    return readRecordings(source);
  },
  create: (options, context) => createPostgresEngine(options, context),
  copying,
};

/** @param clock stands in for the clock of the database, in tests */
export async function createPostgresEngine(
  options: Options,
  { log, memory, node, resolvePath, commits }: EngineContext,
  clock?: { now(): number },
): Promise<OpenedEngine> {
  // Loaded when a config uses it: the driver takes time to load.
  const [{ openStore }, { ClusterEngine }] = await Promise.all([
    import('./open-store.ts'),
    import('../cluster/cluster-engine.ts'),
  ]);
  const { store, recordings, audit, notes } = await openStore(options, resolvePath, clock, commits);
  const { concurrency, lease: leaseMs, onPartition } = options;
  const engine = new ClusterEngine({
    store,
    options: { concurrency, leaseMs, onPartition },
    log,
    memory,
    node: node ?? { name: hostname(), version: '' },
  });
  return { engine, recordings, audit, notes };
}
