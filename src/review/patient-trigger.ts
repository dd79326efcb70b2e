import type { Filter, FilterJudgement, FilterResult } from '../contract/index.ts';
import type { LiveTrigger } from '../runtime/snapshot.ts';
import { reviewOf } from './filter-review.ts';

/** What the filters of a patient rehearsal say beside their results. */
export interface Spent {
  /** Why the filters did not decide: the outcome is unknown. */
  readonly undecided?: string | undefined;
  /** What they cost: about how many evaluations of a simple filter. */
  readonly work?: number;
}

/** A trigger whose filters decide as reviews need it: independently of the speed of the machine. */
export interface PatientTrigger {
  readonly trigger: LiveTrigger;
  /** What the filters said beside their results since it was asked last. */
  spent(): Spent;
}

/** The units of work of a simple evaluation, and what others count as. */
const unitsOfSimple = 1000;
const isolatedWork = 20;
const timeoutWork = 1000;

export function patientTrigger(trigger: LiveTrigger): PatientTrigger {
  let undecided: string | undefined;
  let work = 0;
  const note = (judgement: FilterJudgement): FilterResult => {
    if (judgement.kind !== 'undecided') return judgement;
    work += timeoutWork;
    undecided = judgement.reason;
    // Ends the request here.
    return { kind: 'error', reason: judgement.reason };
  };
  const filter = trigger.filter.map(({ name, instance }, index) => {
    const review = reviewOf(trigger, index);
    const judging: Filter = {
      ...(instance.reads && { reads: instance.reads }),
      evaluate(exchange) {
        const before = exchange.work.spent;
        try {
          const judgement = review?.judge?.(exchange) ?? instance.evaluate(exchange);
          if (!(judgement instanceof Promise)) return note(judgement);
          work += isolatedWork;
          return judgement.then(note);
        } finally {
          work += 1 + (exchange.work.spent - before) / unitsOfSimple;
        }
      },
    };
    return { name, instance: judging };
  });
  return {
    trigger: { ...trigger, filter },
    spent() {
      const spent = { undecided, work };
      undecided = undefined;
      work = 0;
      return spent;
    },
  };
}
