import type { Engine } from '../../contract/index.ts';
import type { EngineDefinition } from '../definition.ts';
import { type Clock, MemoryEngine } from './engine.ts';
import type { Options } from './options.gen.ts';
import optionsSchema from './options.schema.json' with { type: 'json' };

export type { Options as MemoryEngineOptions } from './options.gen.ts';

/** Keeps everything in this process: a run executes as soon as it is accepted, and a restart forgets all. */
export const memory: EngineDefinition<Options> = {
  name: 'memory',
  summary: 'Keeps runs and dedup claims in memory: a restart forgets them.',
  optionsSchema,
  create: (options) => createMemoryEngine(options),
};

/** An engine that answers everything at once but `wait`, `close` and what its executor takes time for. */
export function createMemoryEngine(options: Options, clock: Clock = Date): Engine {
  return new MemoryEngine(options, clock);
}
