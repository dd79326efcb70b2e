import type { AlertEvent, AlertExpectation, AlertRuleConfig, AlertTest } from '../../config/alert-model.ts';
import type { Config } from '../../config/model.ts';
import type { AttemptMessage, RequestMessage, RunMessage } from '../../contract/index.ts';
import { AlertObserver, type AlertSources } from './observer.ts';
import type { Observation } from './sample.ts';
import { budgetsOf } from './sources.ts';
import { type ActiveAlert, evaluate } from './state.ts';

/** What an alert is at a time of a test. */
export interface SimulatedAlert {
  readonly state: AlertExpectation['state'];
  /** How many messages have been sent so far. */
  readonly sent: number;
  /** Why, in words. */
  readonly text: string;
}

/** How big a simulated queue is: shares of it have two decimals. */
const mostQueued = 10_000;

/**
 * Tries one rule on a course of events, by the code that evaluates it in a gateway. Returns what the alert is at each expected
 * time.
 */
export async function simulateAlert(
  config: Config,
  rule: AlertRuleConfig,
  { clock, events, expect }: AlertTest,
): Promise<readonly SimulatedAlert[]> {
  const world = new SimulatedWorld(config, clock);
  const observer = new AlertObserver(world);
  observer.watch({ alerts: { ...config.alerts, rules: [rule] }, triggers: config.triggers });
  const results: SimulatedAlert[] = [];
  let active: readonly ActiveAlert[] = [];
  let sent = 0;
  let nextEvent = 0;
  let text = 'nothing has happened';
  const at = (time: number): void => {
    for (let event = events[nextEvent]; event !== undefined && event.at <= time; event = events[++nextEvent]) {
      world.now = clock + event.at;
      world.apply(event, observer);
    }
    world.now = clock + time;
  };
  const look = async (): Promise<void> => {
    const { now } = world;
    const observations = await observer.observe(now);
    const watched = { [rule.name]: clock };
    const done = evaluate({ now, rules: [rule], active, observations, countedSince: clock, watched });
    ({ active } = done);
    // The changes of one evaluation to one state are one message.
    sent += new Set(done.changes.map(({ state }) => state)).size;
    text = [...active, ...done.changes.map(({ alert }) => alert)][0]?.text ?? text;
  };
  for (const time of times(config.alerts.intervalMs, expect)) {
    at(time);
    await look();
    for (const expected of expect) {
      if (expected.at === time) results.push({ state: stateOf(active, sent), sent, text });
    }
  }
  return results;
}

/** Every evaluation until the last expectation, and one at the time of each. */
function times(intervalMs: number, expect: readonly AlertExpectation[]): readonly number[] {
  const end = expect.at(-1)?.at ?? 0;
  const regular = Array.from({ length: Math.floor(end / intervalMs) + 1 }, (_, index) => index * intervalMs);
  return [...new Set([...regular, ...expect.map((one) => one.at)])].sort((one, other) => one - other);
}

function stateOf(active: readonly ActiveAlert[], sent: number): SimulatedAlert['state'] {
  if (active.some(({ state }) => state === 'firing')) return 'firing';
  if (active.length > 0) return 'pending';
  return sent > 0 ? 'resolved' : 'inactive';
}

/** What events have made of the gateway. */
class SimulatedWorld implements AlertSources {
  now: number;
  readonly #config: Config;
  readonly #clock: number;
  #refusedSince: number | undefined;
  #queued = 0;
  readonly #open = new Map<string, { readonly project: string; readonly trigger: string }>();
  readonly #used = new Map<string, number>();
  #expiries: Observation = {};

  constructor(config: Config, clock: number) {
    this.#config = config;
    this.#clock = clock;
    this.now = clock;
  }

  apply(event: AlertEvent, observer: AlertObserver): void {
    const { now } = this;
    switch (event.kind) {
      case 'requests': {
        const { project, trigger, outcome, tookMs: durationMs } = event;
        const message = { project, trigger, outcome, reason: '', durationMs } as RequestMessage;
        for (let index = 0; index < event.count; index += 1) {
          observer.requestDecided(message, now);
          observer.requestEnded(message, now);
        }
        return;
      }
      case 'runs': {
        const { project, trigger, state, count } = event;
        const message = { project, trigger, state } as RunMessage;
        for (let index = 0; index < count; index += 1) observer.runEnded(message, now);
        return;
      }
      case 'attempts': {
        const { project, trigger, result, tookMs: durationMs, count } = event;
        const message = { project, trigger, result, durationMs } as AttemptMessage;
        for (let index = 0; index < count; index += 1) observer.attemptEnded(message, now);
        return;
      }
      case 'reload':
        this.#refusedSince = event.outcome === 'accepted' ? undefined : (this.#refusedSince ?? now);
        if (event.outcome === 'accepted') observer.reloaded(now);
        return;
      case 'circuit': {
        const { project, trigger, isOpen } = event;
        if (isOpen) this.#open.set(`${project}/${trigger}`, { project, trigger });
        else this.#open.delete(`${project}/${trigger}`);
        return;
      }
      case 'queue':
        this.#queued = Math.round(event.share * mostQueued);
        return;
      case 'used':
        this.#used.set(event.limit, event.share);
        return;
      case 'expires':
        this.#expiries = { 'a key': [this.#clock + event.inMs] };
    }
  }

  async lastAccepted(): Promise<number | undefined> {
    return undefined;
  }

  refusedSince(): number | undefined {
    return this.#refusedSince;
  }

  queue() {
    return { queued: this.#queued, most: mostQueued };
  }

  openCircuits() {
    return [...this.#open.values()];
  }

  async usedShares(...[limit, scope]: Parameters<AlertSources['usedShares']>): Promise<Observation> {
    const shares = budgetsOf(this.#config, limit, scope).flatMap(({ id, name }): [string, [number]][] => {
      const share = this.#used.get(name) ?? this.#used.get(id);
      return share === undefined ? [] : [[id, [share]]];
    });
    return Object.fromEntries(shares);
  }

  expiries(): Observation {
    return this.#expiries;
  }
}
