import { type JsonValue, mostTokens, type Session } from '../../contract/index.ts';
import type { EngineAttempt, RunCost, RunRecord, RunRemains } from '../types/index.ts';
import type { RunSlot } from './run-slot.ts';
import type { StartedAttempt, Store } from './store.ts';

/** Size limits of a session's memory and of a checkpoint, in UTF-16 units of JSON. */
const maxMemoryLength = 1024 * 1024;
const maxCheckpointLength = 64 * 1024;

/** Where an attempt stores something before its end. */
export type AttemptStore = Pick<Store, 'save' | 'remember'>;

export interface AttemptParts {
  readonly store: AttemptStore;
  readonly slot: RunSlot;
  readonly controller: AbortController;
  /** Called when the first checkpoint is stored. */
  readonly onFirstSave: () => void;
}

/** An attempt as its executor sees it. What it emits or stores is dropped once it is over. */
export function attemptOf(
  { store, slot, controller, onFirstSave }: AttemptParts,
  { memory, checkpoint }: Pick<StartedAttempt, 'memory' | 'checkpoint'>,
): EngineAttempt {
  let hasCheckpoint = checkpoint !== undefined;
  return {
    signal: controller.signal,
    session: sessionOf(store, slot, controller, memory),
    checkpoint: checkpoint === undefined ? undefined : JSON.parse(checkpoint),
    save: async (next) => {
      const text = jsonUpTo(maxCheckpointLength, next);
      if (text === undefined) throw new Error('a checkpoint must not exceed 64 KiB');
      if (!mayWrite(slot, controller)) return;
      await store.save(slot.record.id, text);
      if (!hasCheckpoint) onFirstSave();
      hasCheckpoint = true;
    },
    emit: ({ text }) => {
      if (slot.isExecuting(controller) && typeof text === 'string' && text !== '') slot.emit(text);
    },
  };
}

/** @param memory what the session remembers, as JSON */
function sessionOf(
  store: AttemptStore,
  slot: RunSlot,
  controller: AbortController,
  memory: string | undefined,
): Session | undefined {
  const { record } = slot;
  if (record.conversation === undefined) return undefined;
  return {
    memory: memory === undefined ? undefined : JSON.parse(memory),
    remember: async (next) => {
      const text = memoryText(next);
      if (text === undefined) throw new Error('the memory of a session must not exceed 1 MiB');
      if (mayWrite(slot, controller)) await store.remember(record.id, text);
    },
  };
}

/** An attempt that was cancelled or given up no longer writes: a later one, or a later run of its session, has begun. */
function mayWrite(slot: RunSlot, controller: AbortController): boolean {
  return slot.isExecuting(controller) || slot.phase === 'released';
}

/** The memory of a session as JSON; undefined if it is too long. */
export function memoryText(memory: JsonValue): string | undefined {
  return jsonUpTo(maxMemoryLength, memory);
}

/** The record with the usage and the cost of an attempt added. The model is that of the last attempt that names one. */
export function withUsage(record: RunRecord, { usage: used, cost }: RunRemains): RunRecord {
  // An agent may report anything: an implausible count is ignored.
  if (used === undefined || !isCount(used.inputTokens) || !isCount(used.outputTokens)) return record;
  const before = record.usage;
  const model = used.model ?? before?.model;
  const cachedTokens = sumOfParts(before?.cachedTokens, used.cachedTokens);
  const reasoningTokens = sumOfParts(before?.reasoningTokens, used.reasoningTokens);
  const usage = {
    inputTokens: sum(before?.inputTokens ?? 0, used.inputTokens),
    outputTokens: sum(before?.outputTokens ?? 0, used.outputTokens),
    ...(model !== undefined && { model }),
    ...(cachedTokens !== undefined && { cachedTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  };
  return { ...record, usage, cost: costOfBoth(record.cost, cost) };
}

/** Amounts of two currencies have no sum: after a change of the currency, only what was spent since is known. */
function costOfBoth(before: RunCost | undefined, added: RunCost | undefined): RunCost | undefined {
  if (added === undefined || !isAmount(added.nanos)) return before;
  if (before === undefined || before.currency !== added.currency) return added;
  return { nanos: sum(before.nanos, added.nanos), currency: added.currency };
}

function sumOfParts(before: number | undefined, added: number | undefined): number | undefined {
  return isCount(added) ? sum(before ?? 0, Number(added)) : before;
}

function sum(before: number, added: number): number {
  return Math.min(before + added, Number.MAX_SAFE_INTEGER);
}

/** A value as JSON; undefined if that is too long. */
function jsonUpTo(maxLength: number, value: JsonValue): string | undefined {
  const text = JSON.stringify(value);
  return text.length > maxLength ? undefined : text;
}

function isAmount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isCount(value: unknown): boolean {
  return isAmount(value) && Number(value) <= mostTokens;
}
