import type { JsonValue, RunUsage, Session } from '../../contract/index.ts';
import type { EngineAttempt, RunRecord } from '../types/index.ts';
import type { ActiveRun } from './active-run.ts';
import type { Store } from './store.ts';

/** What a session may remember, and what an attempt may save, in UTF-16 units of JSON. */
const mostMemory = 1024 * 1024;
const mostCheckpoint = 64 * 1024;
/** Tokens of one attempt: more than any model takes in years. What an agent says of itself may be anything. */
const mostTokens = 1e12;

/** The conversation that a run is a turn of; `memory` is what it remembers, as JSON. */
export function sessionOf(store: Store, { record }: ActiveRun, memory: string | undefined): Session | undefined {
  if (record.sessionId === undefined) return undefined;
  return {
    memory: memory === undefined ? undefined : JSON.parse(memory),
    remember: async (next) => {
      const text = memoryText(next);
      if (text === undefined) throw new Error('a session cannot remember more than 1 MiB');
      await store.remember(record.id, text);
    },
  };
}

/**
 * How an attempt tells of itself, for as long as it is the run's own.
 * @param checkpoint what it goes on with, as JSON
 */
export function progressOf(
  store: Store,
  active: ActiveRun,
  controller: AbortController,
  checkpoint: string | undefined,
): Pick<EngineAttempt, 'checkpoint' | 'save' | 'emit'> {
  return {
    checkpoint: checkpoint === undefined ? undefined : JSON.parse(checkpoint),
    save: async (next) => {
      const text = jsonUpTo(mostCheckpoint, next);
      if (text === undefined) throw new Error('an attempt cannot save more than 64 KiB');
      await store.save(active.record.id, text);
    },
    emit: ({ text }) => {
      if (active.controller === controller && typeof text === 'string' && text !== '') active.tell(text);
    },
  };
}

/** What a session is to remember as JSON; undefined if that is too long. */
export function memoryText(memory: JsonValue): string | undefined {
  return jsonUpTo(mostMemory, memory);
}

/** The record with what an attempt has used up counted in. */
export function withUsage(record: RunRecord, used: RunUsage | undefined): RunRecord {
  // A plugin in plain JavaScript may give anything.
  if (used === undefined || !isCount(used.inputTokens) || !isCount(used.outputTokens)) return record;
  const { inputTokens, outputTokens } = record.usage ?? { inputTokens: 0, outputTokens: 0 };
  const usage = {
    inputTokens: Math.min(inputTokens + used.inputTokens, Number.MAX_SAFE_INTEGER),
    outputTokens: Math.min(outputTokens + used.outputTokens, Number.MAX_SAFE_INTEGER),
  };
  return { ...record, usage };
}

/** A value as JSON; undefined if that is too long. */
function jsonUpTo(most: number, value: JsonValue): string | undefined {
  const text = JSON.stringify(value);
  return text.length > most ? undefined : text;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= mostTokens;
}
