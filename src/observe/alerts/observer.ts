import type { AlertRuleConfig, AlertScope } from '../../config/alert-model.ts';
import type { Config } from '../../config/model.ts';
import { foldKey } from '../../config/trigger-key.ts';
import type { AttemptMessage, RequestMessage, RunMessage } from '../../contract/index.ts';
import { queueIsFull } from '../../engine/types/index.ts';
import type { Observation, Observations, Sample } from './sample.ts';
import { Window } from './window.ts';

/** What the counts of events do not say: it is looked at with each evaluation. */
export interface AlertSources {
  /** When the newest run of the scope was accepted; undefined: there is none. */
  lastAccepted(scope: AlertScope): Promise<number | undefined>;
  /** Since when the config on disk is refused; undefined: it serves. */
  refusedSince(): number | undefined;
  /** `most` is 0 if the queue is unbounded. */
  queue(): { readonly queued: number; readonly most: number };
  /** Triggers whose queues are held. */
  openCircuits(): readonly { readonly project: string; readonly trigger: string }[];
  /** The used shares of a rule's limits, by what people call them. */
  usedShares(limit: string | undefined, scope: AlertScope): Promise<Observation>;
  /** When the secrets of a project's keys expire, by what people call them. */
  expiries(scope: AlertScope): Observation;
}

/** How long a refusal because of a full queue is remembered. */
const fullQueueMs = 60_000;
/** The outcomes of requests that filters have dropped. */
const dropOutcomes: ReadonlySet<string> = new Set(['filtered', 'filter_error']);

interface Counter {
  readonly rule: AlertRuleConfig;
  /** What the rule is, apart from what people call it: windows go on under the next config if it is the same. */
  readonly identity: string;
  readonly windows: Map<string, Window>;
  /** Of `latency`, by subject: the longest of the latest two halves of a window. */
  readonly longest: Map<string, Longest>;
  /** Of `drops`: the sums before the reload. */
  readonly before: Map<string, Sample>;
  changedAt: number;
  /** Of `silence`, by subject; undefined: not looked up yet. */
  accepted: Map<string, number> | undefined;
}

interface Longest {
  since: number;
  current: number;
  previous: number;
}

type Happening = 'run' | 'accepted' | 'attempt' | 'drop' | 'latency';

/**
 * Counts what rules are about. Its memory is bounded by rules and triggers, whatever the traffic: events are counted, not kept.
 */
export class AlertObserver {
  readonly #sources: AlertSources;
  #counters: readonly Counter[] = [];
  /** Which counters an event of a trigger counts in, by project and folded key. */
  #routes = new Map<string, Map<string, Readonly<Record<Happening, readonly Counter[]>>>>();
  #triggers: readonly AlertScope[] = [];
  /** Since when circuits are seen to be open. */
  readonly #open = new Map<string, number>();
  readonly #full = new Window(fullQueueMs, 1);

  constructor(sources: AlertSources) {
    this.#sources = sources;
  }

  /** Watches the rules of a config. What unchanged ones have counted stays. */
  watch({ alerts, triggers }: Pick<Config, 'alerts' | 'triggers'>): void {
    const known = new Map(this.#counters.map((counter) => [counter.identity, counter]));
    this.#counters = alerts.rules.map((rule) => {
      const identity = JSON.stringify([rule.name, rule.condition, rule.scope]);
      const old = known.get(identity);
      // Triggers may have come or gone: what each of them accepted last is looked up again.
      if (old !== undefined) return { ...old, rule, accepted: undefined };
      const empty = { windows: new Map(), longest: new Map(), before: new Map(), changedAt: 0, accepted: undefined };
      return { rule, identity, ...empty };
    });
    this.#routes = new Map();
    this.#triggers = triggers.map(({ project, key }) => ({ project: project.id, trigger: key }));
    // A trigger that is gone keeps no memory.
    const subjects = new Set(this.#triggers.map(({ project, trigger }) => `${project}/${trigger}`));
    for (const { windows, before, longest } of this.#counters) {
      for (const map of [windows, before, longest]) {
        for (const subject of map.keys()) if (subject.includes('/') && !subjects.has(subject)) map.delete(subject);
      }
    }
  }

  /** Another config serves: shares of drops are compared with those before. */
  reloaded(now: number): void {
    for (const counter of this.#counters) {
      const { rule, windows, before } = counter;
      if (rule.condition.kind !== 'drops') continue;
      for (const [subject, window] of windows) {
        const sums = window.sums(now);
        // After one reload soon follows another: too few requests between them are no share.
        if ((sums[0] ?? 0) >= rule.condition.minCount || !before.has(subject)) before.set(subject, sums);
        window.clear();
      }
      counter.changedAt = now;
    }
  }

  requestDecided({ outcome, reason, project, trigger }: RequestMessage, now: number): void {
    if (outcome === undefined) return;
    if (outcome === 'unavailable' && reason === queueIsFull) this.#full.add(now, 0);
    const route = this.#routeOf(project, trigger);
    if (route === undefined) return;
    if (outcome === 'accepted') {
      for (const counter of route.accepted) counter.accepted?.set(subjectOf(counter.rule, project, trigger), now);
    }
    const isDrop = dropOutcomes.has(outcome);
    if (!isDrop && outcome !== 'accepted' && outcome !== 'duplicate') return;
    for (const counter of route.drop) this.#count(counter, subjectOf(counter.rule, project, trigger), now, isDrop);
  }

  requestEnded({ outcome, project, trigger, durationMs }: RequestMessage, now: number): void {
    if (outcome !== 'accepted' || durationMs === undefined) return;
    for (const counter of this.#routeOf(project, trigger)?.latency ?? []) {
      this.#took(counter, subjectOf(counter.rule, project, trigger), now, durationMs);
    }
  }

  attemptEnded({ result, project, trigger, durationMs }: AttemptMessage, now: number): void {
    if (result === 'released' || result === 'cancelled' || durationMs === undefined) return;
    for (const counter of this.#routeOf(project, trigger)?.attempt ?? []) {
      this.#took(counter, subjectOf(counter.rule, project, trigger), now, durationMs);
    }
  }

  /** A run that was cancelled has neither failed nor succeeded. */
  runEnded({ state, project, trigger }: RunMessage, now: number): void {
    if (state === 'cancelled') return;
    for (const counter of this.#routeOf(project, trigger)?.run ?? []) {
      this.#count(counter, subjectOf(counter.rule, project, trigger), now, state === 'failed');
    }
  }

  async observe(now: number): Promise<Observations> {
    const observations: Record<string, Observation> = {};
    for (const counter of this.#counters) observations[counter.rule.name] = await this.#observe(counter, now);
    return observations;
  }

  async #observe(counter: Counter, now: number): Promise<Observation> {
    const { rule, windows, before, longest, changedAt } = counter;
    const { condition, scope } = rule;
    const sources = this.#sources;
    const ofWindows = (sampleOf: (subject: string, sums: readonly number[]) => Sample): Observation =>
      Object.fromEntries([...windows].map(([subject, window]) => [subject, sampleOf(subject, window.sums(now))]));
    switch (condition.kind) {
      case 'failures':
        return ofWindows((_, sums) => sums);
      case 'drops':
        return ofWindows((subject, sums) => [...(before.get(subject) ?? [0, 0]), ...sums, changedAt]);
      case 'latency':
        return ofWindows((subject, sums) => {
          const known = longest.get(subject);
          return [...sums, sums[0] === 0 ? 0 : Math.max(known?.current ?? 0, known?.previous ?? 0)];
        });
      case 'silence':
        counter.accepted ??= await this.#lookUp(rule);
        return Object.fromEntries([...counter.accepted].map(([subject, last]) => [subject, [last]]));
      case 'budget':
        return sources.usedShares(condition.limit, scope);
      case 'expiry':
        return sources.expiries(scope);
      case 'reload': {
        const since = sources.refusedSince();
        return since === undefined ? {} : { '': [since] };
      }
      case 'queue': {
        const { queued, most } = sources.queue();
        return { '': [queued, most, this.#full.sums(now)[0] ?? 0] };
      }
      case 'circuit':
        return this.#circuits(scope, now);
    }
  }

  #circuits(scope: AlertScope, now: number): Observation {
    const open = this.#sources.openCircuits();
    const names = new Set(open.map(({ project, trigger }) => `${project}/${trigger}`));
    for (const name of this.#open.keys()) if (!names.has(name)) this.#open.delete(name);
    for (const name of names) if (!this.#open.has(name)) this.#open.set(name, now);
    const inScope = open.filter((trigger) => isIn(scope, trigger.project, trigger.trigger));
    return Object.fromEntries(
      inScope.map(({ project, trigger }) => [
        `${project}/${trigger}`,
        [this.#open.get(`${project}/${trigger}`) ?? now],
      ]),
    );
  }

  /** What was accepted before this process began. */
  async #lookUp(rule: AlertRuleConfig): Promise<Map<string, number>> {
    const { scope, condition } = rule;
    const per = condition.kind === 'silence' ? condition.per : 'all';
    const scopes =
      per === 'all' ? [scope] : this.#triggers.filter(({ project, trigger }) => isIn(scope, project, trigger));
    const found = new Map<string, number>();
    for (const one of scopes) {
      const subject = subjectOf(rule, one.project, one.trigger);
      const last = (await this.#sources.lastAccepted(one)) ?? 0;
      found.set(subject, Math.max(found.get(subject) ?? 0, last));
    }
    return found;
  }

  #count({ rule, windows }: Counter, subject: string, now: number, isBad: boolean): void {
    const window = windowOf(rule, windows, subject);
    window.add(now, 0);
    if (isBad) window.add(now, 1);
  }

  #took({ rule, windows, longest }: Counter, subject: string, now: number, tookMs: number): void {
    const { condition } = rule;
    if (condition.kind !== 'latency') return;
    const window = windowOf(rule, windows, subject);
    window.add(now, 0);
    if (tookMs >= condition.thresholdMs) window.add(now, 1);
    const known = longest.get(subject) ?? { since: now, current: 0, previous: 0 };
    if (now - known.since >= condition.withinMs) {
      known.previous = known.current;
      known.current = 0;
      known.since = now;
    }
    known.current = Math.max(known.current, tookMs);
    longest.set(subject, known);
  }

  #routeOf(project: string | undefined, trigger: string | undefined) {
    if (project === undefined || trigger === undefined || this.#counters.length === 0) return undefined;
    let ofProject = this.#routes.get(project);
    if (ofProject === undefined) {
      ofProject = new Map();
      this.#routes.set(project, ofProject);
    }
    let route = ofProject.get(trigger);
    if (route === undefined) {
      route = this.#makeRoute(project, trigger);
      ofProject.set(trigger, route);
    }
    return route;
  }

  #makeRoute(project: string, trigger: string): Readonly<Record<Happening, readonly Counter[]>> {
    const ofKind = (matches: (condition: AlertRuleConfig['condition']) => boolean) =>
      this.#counters.filter(({ rule }) => matches(rule.condition) && isIn(rule.scope, project, trigger));
    return {
      run: ofKind(({ kind }) => kind === 'failures'),
      accepted: ofKind(({ kind }) => kind === 'silence'),
      drop: ofKind(({ kind }) => kind === 'drops'),
      latency: ofKind((condition) => condition.kind === 'latency' && condition.measure === 'request'),
      attempt: ofKind((condition) => condition.kind === 'latency' && condition.measure === 'attempt'),
    };
  }
}

function windowOf({ condition }: AlertRuleConfig, windows: Map<string, Window>, subject: string): Window {
  const known = windows.get(subject);
  if (known !== undefined) return known;
  const made = new Window('withinMs' in condition ? condition.withinMs : fullQueueMs, 2);
  windows.set(subject, made);
  return made;
}

/** Whether something of a trigger is what a rule is about. */
export function isIn(scope: AlertScope, project = '', trigger = ''): boolean {
  if (scope.project !== undefined && scope.project !== project) return false;
  return scope.trigger === undefined || foldKey(scope.trigger) === foldKey(trigger);
}

function subjectOf({ condition }: AlertRuleConfig, project = '', trigger = ''): string {
  switch ('per' in condition ? condition.per : 'all') {
    case 'trigger':
      return `${project}/${trigger}`;
    case 'project':
      return project;
    default:
      return '';
  }
}
