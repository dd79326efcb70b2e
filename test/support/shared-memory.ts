// To be imported before the command line: an engine that says it is shared, for what processes do that share a listener.
import type { EngineDefinition } from '../../src/engine/definition.ts';
import { engines } from '../../src/engine/index.ts';
import { memory } from '../../src/engine/memory/index.ts';

const shared = { ...memory, name: 'shared', isShared: true } as unknown as EngineDefinition;
(engines as Map<string, EngineDefinition>).set(shared.name, shared);
