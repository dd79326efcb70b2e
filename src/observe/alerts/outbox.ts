import type { AlertTarget } from '../../host/alert-targets.ts';
import { type AlertMessage, messageOf, type ServingConfig } from './message.ts';
import type { Delivery } from './sender.ts';
import type { AlertChange } from './state.ts';
import type { AlertsRecord, LastSent, Outgoing } from './stored-alerts.ts';

/** The pauses between attempts, in milliseconds; there is no attempt after the last one. */
const pausesMs = [10_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000];
/** How many messages wait for their receivers at most. The oldest are given up. */
const mostOutgoing = 200;

/** The messages of changes: one for each receiver and state, however many alerts change at once. */
export function messagesOf(
  changes: readonly AlertChange[],
  targets: readonly AlertTarget[],
  serving: ServingConfig,
): readonly Outgoing[] {
  return targets.flatMap(({ name: receiver }) =>
    (['firing', 'resolved'] as const).flatMap((state): Outgoing[] => {
      const own = changes.filter((change) => change.state === state && (change.rule?.to.includes(receiver) ?? true));
      if (own.length === 0) return [];
      const message = messageOf(state, own, serving);
      return [{ receiver, message, attempts: 0, dueAt: message.at }];
    }),
  );
}

/** Adds messages to those that wait. */
export function enqueue(waiting: readonly Outgoing[], added: readonly Outgoing[]): readonly Outgoing[] {
  return [...waiting, ...added].slice(-mostOutgoing);
}

/** The next message of each receiver whose time has come: a receiver gets them one after the other, in their order. */
export function dueMessages(
  waiting: readonly Outgoing[],
  now: number,
  isBusy: (receiver: string) => boolean,
): readonly Outgoing[] {
  const first = new Map<string, Outgoing>();
  for (const one of waiting) if (!first.has(one.receiver)) first.set(one.receiver, one);
  return [...first.values()].filter(({ receiver, dueAt }) => dueAt <= now && !isBusy(receiver));
}

/** The record after an attempt. */
export function afterAttempt(
  record: AlertsRecord,
  { receiver, message }: Outgoing,
  delivery: Delivery,
  now: number,
): { readonly record: AlertsRecord; readonly isGivenUp: boolean } {
  const isSame = (one: Outgoing) => one.receiver === receiver && one.message.id === message.id;
  const current = record.outgoing.find(isSame);
  const attempts = (current?.attempts ?? 0) + 1;
  const pauseMs = delivery.result === 'failed' ? pausesMs[attempts - 1] : undefined;
  const isGivenUp = delivery.result === 'failed' && pauseMs === undefined;
  const outgoing = record.outgoing.flatMap((one): Outgoing[] => {
    if (!isSame(one)) return [one];
    if (pauseMs === undefined) return [];
    return [{ ...one, attempts, dueAt: now + Math.max(pauseMs, delivery.retryAfterMs) }];
  });
  const { status, failure } = delivery;
  const last: LastSent = {
    ...{ state: message.state, at: now, status, failure },
    result: isGivenUp ? 'given_up' : delivery.result,
  };
  return { record: { ...record, outgoing, sent: withLast(record.sent, message, receiver, last) }, isGivenUp };
}

function withLast(
  sent: AlertsRecord['sent'],
  { alerts }: AlertMessage,
  receiver: string,
  last: LastSent,
): AlertsRecord['sent'] {
  const rules = new Set(alerts.map(({ name }) => String(name)));
  return { ...sent, ...Object.fromEntries([...rules].map((rule) => [rule, { ...sent[rule], [receiver]: last }])) };
}
