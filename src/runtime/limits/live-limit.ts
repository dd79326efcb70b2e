import type { LimitConfig } from '../../config/model.ts';
import type { LimitRule } from '../../engine/types/index.ts';
import type { LimitExpression } from '../../host/limit-expression.ts';
import { calendarWindow } from './calendar.ts';

/** A limit of a snapshot, ready to be charged. */
export interface LiveLimit {
  readonly id: string;
  /** As answers and logs name it. */
  readonly name: string;
  readonly config: LimitConfig;
  /** What `per` finds in a request, if it is an expression. */
  readonly expression: LimitExpression | undefined;
  /** The rule at a time in milliseconds since the epoch. */
  readonly ruleAt: (now: number) => LimitRule;
}

export function liveLimit(config: LimitConfig, expression: LimitExpression | undefined): LiveLimit {
  const { id, name } = config;
  return Object.freeze({ id, name, config, expression, ruleAt: ruleOf(config) });
}

function ruleOf({ amount, window, burst }: LimitConfig): LiveLimit['ruleAt'] {
  if (window.kind === 'period') {
    const { ms: periodMs } = window;
    const rule: LimitRule =
      burst === undefined ? { kind: 'window', amount, periodMs } : { kind: 'rate', amount, periodMs, burst };
    return () => rule;
  }
  const { kind, zone } = window;
  const ruleWithin = (now: number) => ({ kind: 'calendar', amount, ...calendarWindow(now, kind, zone) }) as const;
  let current = ruleWithin(0);
  return (now) => {
    if (now < current.startsAt || now >= current.endsAt) current = ruleWithin(now);
    return current;
  };
}
