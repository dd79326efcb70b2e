import { EngineUnavailable } from '../../engine/types/index.ts';
import { AccessError } from '../access-error.ts';
import { Pace, pause } from './pace.ts';
import type { BulkRate } from './rate.ts';

/** What became of one item. */
export type Acted =
  | { readonly kind: 'done'; readonly as?: string | undefined }
  /** Another command, or an earlier one, has done it. */
  | { readonly kind: 'already'; readonly as?: string | undefined; readonly reason?: string | undefined }
  /** It cannot be done, for a reason that stays. */
  | { readonly kind: 'skipped'; readonly reason: string }
  /** There is no room for it now: it is tried again. */
  | { readonly kind: 'no_room'; readonly reason: string; readonly retryAfterMs?: number | undefined };

export type Outcome = Exclude<Acted, { readonly kind: 'no_room' }>;

export interface Bulk<Item> {
  /** In the order in which they are done: one after the other, so that what belongs to one session keeps its order. */
  readonly items: readonly Item[];
  readonly rate: BulkRate;
  act(item: Item): Promise<Acted>;
  /** Called for each item that is done with. */
  finished?(item: Item, outcome: Outcome): void;
  /** Called when there is no room, and before the next try. */
  waiting?(reason: string, forMs: number): void;
}

export interface BulkEnd {
  /** Why it ended before all items were done with; undefined: they are. */
  readonly stopped: 'interrupted' | 'no_answer' | undefined;
  /** What the gateway, or the lack of one, said last. */
  readonly reason?: string | undefined;
  readonly left: number;
}

/** Pauses between tries, in milliseconds: each twice as long as the one before. */
const backoff = { firstMs: 500, mostMs: 30_000 };
/** For how long a gateway may not answer: it may be starting again. */
const noAnswerMs = 120_000;

/**
 * Does something with all items at a rate. Where the gateway has no room or no answer, the same item is tried again. Stops after
 * the current item when `signal` aborts.
 */
export async function runBulk<Item>(bulk: Bulk<Item>, signal: AbortSignal): Promise<BulkEnd> {
  const { items, rate } = bulk;
  const pace = new Pace(rate);
  for (const [index, item] of items.entries()) {
    await pace.turn(signal);
    if (signal.aborted) return { stopped: 'interrupted', left: items.length - index };
    const acted = await actWithPatience(item, bulk, signal);
    if (acted.kind === 'gave_up') return { ...acted.end, left: items.length - index };
    bulk.finished?.(item, acted);
  }
  return { stopped: undefined, left: 0 };
}

type Patient = Outcome | { readonly kind: 'gave_up'; readonly end: Omit<BulkEnd, 'left'> };

interface NoAnswer {
  readonly kind: 'no_answer';
  readonly reason: string;
  readonly isFinal: boolean;
}

async function actWithPatience<Item>(item: Item, bulk: Bulk<Item>, signal: AbortSignal): Promise<Patient> {
  let pauseMs = backoff.firstMs;
  let silentSince: number | undefined;
  for (;;) {
    const acted = await bulk.act(item).catch((error: unknown): Acted | NoAnswer => {
      if (EngineUnavailable.is(error)) return { kind: 'no_room', reason: error.message };
      if (!(error instanceof AccessError)) throw error;
      return { kind: 'no_answer', reason: error.message, isFinal: !error.isPassing };
    });
    if (acted.kind === 'no_answer') {
      silentSince ??= performance.now();
      const isOver = acted.isFinal || performance.now() - silentSince > noAnswerMs;
      if (isOver) return { kind: 'gave_up', end: { stopped: 'no_answer', reason: acted.reason } };
    } else if (acted.kind === 'no_room') silentSince = undefined;
    else return acted;
    const asked = acted.kind === 'no_room' ? (acted.retryAfterMs ?? 0) : 0;
    const waitMs = Math.max(pauseMs, asked);
    bulk.waiting?.(acted.reason, waitMs);
    await pause(waitMs, signal);
    if (signal.aborted) return { kind: 'gave_up', end: { stopped: 'interrupted' } };
    pauseMs = Math.min(pauseMs * 2, backoff.mostMs);
  }
}
