import type { MaybePromise } from '../../contract/index.ts';
import type { Claim, NewRun, Submission } from '../types/index.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { RunEndings } from './run-endings.ts';
import type { RunSlot } from './run-slot.ts';
import type { Store } from './store.ts';

export interface BusyParts {
  readonly store: Store;
  readonly dispatcher: Dispatcher;
  readonly endings: RunEndings;
}

/**
 * Decides what becomes of a run whose session may be busy. Submissions of one session are decided one after the other: whether
 * one is busy depends on whether the store accepts the one before.
 */
export class BusySessions {
  readonly #parts: BusyParts;
  /** The submission that is being stored, by session. */
  readonly #deciding = new Map<string, Promise<unknown>>();

  constructor(parts: BusyParts) {
    this.#parts = parts;
  }

  /** Resolves when another submission may be decided; undefined: at once. */
  turn(conversation: string): Promise<unknown> | undefined {
    return this.#deciding.get(conversation);
  }

  /**
   * Submits a run, unless its session is busy and it must not wait. To be called when it is its turn.
   * @param submit stores the run
   */
  decide(
    run: NewRun,
    conversation: string,
    claim: Claim | undefined,
    submit: () => MaybePromise<Submission>,
  ): MaybePromise<Submission> {
    const others = this.#othersOf(run, conversation);
    const [busy] = others;
    if (busy !== undefined && run.onBusy === 'drop') return this.#dropped(busy.record.id, run, claim);
    const accepted = (submission: Submission): Submission => {
      if (submission.kind === 'accepted') for (const other of others) this.#cancel(other);
      return submission;
    };
    const submission = submit();
    if (!(submission instanceof Promise)) return accepted(submission);
    const answer = submission.then(accepted);
    const over = () => void this.#deciding.delete(conversation);
    this.#deciding.set(conversation, answer.then(over, over));
    return answer;
  }

  /** The runs that keep its session busy, the one whose turn it is first. */
  #othersOf({ debounce }: NewRun, conversation: string): readonly RunSlot[] {
    const { dispatcher } = this.#parts;
    const queued = dispatcher.inSession(conversation);
    return debounce === undefined ? queued : [...queued, ...dispatcher.bursts.inSession(conversation)];
  }

  /** A repeated request is a duplicate, whether its session is busy or not. */
  #dropped(runId: string, { once }: NewRun, claim: Claim | undefined): MaybePromise<Submission> {
    const { store } = this.#parts;
    return whenKnown(once && store.holder(once), (first): MaybePromise<Submission> => {
      if (first !== undefined) return { kind: 'repeated', runId: first };
      return whenKnown(claim && store.holder(claim), (holder) =>
        holder === undefined ? { kind: 'busy', runId } : { kind: 'duplicate', runId: holder },
      );
    });
  }

  #cancel(slot: RunSlot): void {
    if (slot.isDecided) return;
    const { controller } = slot;
    this.#parts.endings.end(slot, { state: 'cancelled' });
    controller?.abort();
    this.#parts.store.hurry();
  }
}

function whenKnown<T>(
  holder: MaybePromise<string | undefined>,
  then: (holder: string | undefined) => MaybePromise<T>,
): MaybePromise<T> {
  return holder instanceof Promise ? holder.then(then) : then(holder);
}
