import { triggerId } from '../config/trigger-key.ts';
import { engines } from '../engine/index.ts';
import type { SimulationParts } from '../engine/simulation/simulated-engine.ts';
import type { Concurrency, Consumption, RunRecord } from '../engine/types/index.ts';
import type { Expectations } from '../runtime/limits/expectations.ts';
import type { Snapshot } from '../runtime/snapshot.ts';

type Places = Pick<SimulationParts, 'concurrency' | 'maxQueued' | 'concurrencyOf'>;

const unlimited: Concurrency = { limit: Infinity, isPerValue: false };

/** How many runs a config lets run and wait at once. */
export function placesOf(snapshot: Snapshot): Places {
  const { uses, with: options } = snapshot.config.engine;
  const declared = Object(Object(engines.get(uses)?.optionsSchema).properties);
  const numberOf = (name: string): number => {
    const value: unknown = options[name] ?? Object(declared[name]).default;
    return typeof value === 'number' ? value : Infinity;
  };
  return {
    concurrency: numberOf('concurrency'),
    maxQueued: numberOf('maxQueued'),
    concurrencyOf: (project, trigger) => snapshot.find(project, trigger)?.concurrency ?? unlimited,
  };
}

/** Of a run that reports no usage, nothing is learned. */
export function noteConsumption(
  expectations: Expectations,
  { project, trigger }: RunRecord,
  { tokens, cost }: Consumption,
): void {
  if (tokens !== undefined) expectations.note(triggerId(project, trigger), { tokens, cost: cost ?? 0 });
}
