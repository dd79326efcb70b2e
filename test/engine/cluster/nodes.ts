import { ClusterEngine, type ClusterOptions } from '../../../src/engine/cluster/index.ts';
import type { ConformanceHarness } from '../../../src/engine/conformance.ts';
import { openStore } from '../../../src/engine/postgres/open-store.ts';
import type { Options } from '../../../src/engine/postgres/options.gen.ts';
import type { Engine } from '../../../src/engine/types/index.ts';
import { recordingLog } from '../../support/recording-log.ts';

/** A time of day that only a test moves. */
export function heldClock() {
  let now = 1_700_000_000_000;
  return {
    now: () => now,
    advance(ms: number) {
      now += ms;
    },
  };
}

let schemas = 0;

/** A schema that nothing has used yet. */
export function newSchema(): string {
  schemas += 1;
  return `test_${schemas}`;
}

const defaults = {
  pool: 4,
  lease: 1000,
  onPartition: 'abort',
  concurrency: 10_000,
  maxQueued: 10_000,
  maxInterruptions: 5,
  retention: { age: 30 * 86_400_000, count: 100_000 },
} as const;

/** An engine on a schema. Nodes on the same one share it. */
export async function openNode(
  url: string,
  schema: string,
  clock?: ConformanceHarness['clock'],
  options: Partial<Options> = {},
  log = recordingLog(),
) {
  const { lease, ...all } = { ...defaults, ...options };
  const { store, recordings } = await openStore({ ...all, lease, url, schema }, (path) => path, clock);
  const cluster: ClusterOptions = { leaseMs: lease, onPartition: all.onPartition, concurrency: all.concurrency };
  const node = { name: 'a node', version: '0.0.0' };
  return { engine: new ClusterEngine({ store, options: cluster, log, node }), recordings, store, log };
}

/**
 * Two engines as one: runs are submitted to the first, which executes nothing, and all else is asked of the second. Runs with masks
 * are submitted to the second too: only the node that has accepted one can execute it.
 */
export function facade(first: Engine, second: Engine): Engine {
  let isStarted = false;
  return {
    submit: (run, claim, limits) => (run.policy.mask.length > 0 ? second : first).submit(run, claim, limits),
    wait: (runId, timeoutMs, signal) => second.wait(runId, timeoutMs, signal),
    get: (runId) => second.get(runId),
    active: (runId) => second.active(runId),
    deltas: (runId, after, signal) => second.deltas(runId, after, signal),
    list: (query) => second.list(query),
    limitCounters: (limit, most) => second.limitCounters(limit, most),
    resetLimit: (limit, value) => second.resetLimit(limit, value),
    cancel: (runId) => second.cancel(runId),
    start(executor) {
      isStarted = true;
      return second.start(executor);
    },
    reconsider: () => second.reconsider(),
    // Only a node that has submitted or executes anything is one of the cluster.
    load: () => (isStarted ? second : first).load(),
    openCircuits: () => second.openCircuits(),
    health: () => second.health(),
    broken: second.broken,
    async close(drainMs) {
      await Promise.all([first.close(drainMs), second.close(drainMs)]);
    },
  };
}
