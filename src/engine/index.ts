import type { EngineDefinition } from './definition.ts';
import { memory } from './memory/index.ts';
import { postgres } from './postgres/index.ts';
import { sqlite } from './sqlite/index.ts';

const all: readonly EngineDefinition[] = [sqlite, postgres, memory];

/** Every engine that gateway.yaml can name. */
export const engines: ReadonlyMap<string, EngineDefinition> = new Map(all.map((engine) => [engine.name, engine]));
