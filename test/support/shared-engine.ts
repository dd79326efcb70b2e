import type { Test } from 'tap';
import type { JsonValue } from '../../src/contract/index.ts';
import type { EngineDefinition, OpenedEngine } from '../../src/engine/definition.ts';
import { engines } from '../../src/engine/index.ts';
import { createMemoryEngine } from '../../src/engine/memory/index.ts';
import type { Executor, NodeRecord } from '../../src/engine/types/index.ts';

/** Gateways of this process that share an engine, in the order of their start. The first executes all runs. */
export interface SharedEngine {
  readonly executors: readonly Executor[];
  nodes: readonly NodeRecord[];
}

const options = {
  ...{ concurrency: 100, maxQueued: 100, maxFinished: 1000, keepFinished: 3_600_000 },
  ...{ maxClaims: 1000, maxSessions: 1000 },
};

/** Makes `engine: { uses: shared }` an engine that several gateways of a test share. */
export function shareEngine(t: Test): SharedEngine {
  const executors: Executor[] = [];
  const shared: SharedEngine = { executors, nodes: [] };
  let first: OpenedEngine | undefined;
  const definition: EngineDefinition = {
    name: 'shared',
    summary: '',
    optionsSchema: { type: 'object' },
    isDurable: true,
    create(_options, context) {
      const isFirst = first === undefined;
      first ??= createMemoryEngine(options, context);
      const { engine, recordings, audit, notes } = first;
      const node = {
        nodes: () => shared.nodes,
        life: `life-of-${context.node?.name}`,
        deliver: (runId: string, completion: JsonValue) => executors[0]?.complete?.(runId, completion) ?? false,
        start: (executor: Executor) => {
          executors.push(executor);
          return isFirst ? engine.start(executor) : undefined;
        },
        close: (drainMs: number) => (isFirst ? engine.close(drainMs) : Promise.resolve()),
      };
      const members = new Proxy(engine, {
        get: (_, name) => {
          if (Object.hasOwn(node, name)) return Reflect.get(node, name);
          const member = Reflect.get(engine, name, engine);
          return typeof member === 'function' ? member.bind(engine) : member;
        },
      });
      return { engine: members, recordings, audit, notes };
    },
  };
  const known = engines as Map<string, EngineDefinition>;
  known.set('shared', definition);
  t.teardown(() => known.delete('shared'));
  return shared;
}
