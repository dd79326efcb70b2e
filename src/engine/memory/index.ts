import type { EngineContext, EngineDefinition, OpenedEngine } from '../definition.ts';
import { ExecutionEngine } from '../execution/execution-engine.ts';
import type { Clock } from '../execution/timers.ts';
import { MemoryAudit } from './audit.ts';
import { MemoryNotes } from './notes.ts';
import type { Options } from './options.gen.ts';
import optionsSchema from './options.schema.json' with { type: 'json' };
import { MemoryStore } from './store.ts';

export type { Options as MemoryEngineOptions } from './options.gen.ts';

/** Keeps everything in this process: a restart forgets all. */
export const memory: EngineDefinition<Options> = {
  name: 'memory',
  summary: 'Keeps runs, dedup claims and recorded requests in memory: a restart forgets them.',
  optionsSchema,
  isDurable: false,
  create: (options, context) => createMemoryEngine(options, context),
};

export function createMemoryEngine(
  options: Options,
  { log, memory: budget }: Pick<EngineContext, 'log' | 'memory'>,
  clock: Clock = Date,
): OpenedEngine {
  const store = new MemoryStore(options, clock, budget);
  const engine = new ExecutionEngine({ store, options, clock, log, isDurable: memory.isDurable, memory: budget });
  return { engine, recordings: store.recordings, audit: new MemoryAudit(clock), notes: new MemoryNotes() };
}
