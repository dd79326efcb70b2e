import { channels, type JsonObject, type ObservedGateway, type PluginLog } from '../../contract/index.ts';
import { type Engine, EngineUnavailable, type Notes } from '../../engine/types/index.ts';
import type { Live } from '../../runtime/live.ts';
import { Subscriptions } from '../subscriptions.ts';
import { testMessage } from './message.ts';
import { AlertObserver, type AlertSources } from './observer.ts';
import { afterAttempt, dueMessages, enqueue, messagesOf } from './outbox.ts';
import type { Delivery, SendAlert } from './sender.ts';
import { SharedObservations } from './shared-observations.ts';
import { evaluate } from './state.ts';
import { type AlertsRecord, emptyRecord, type Outgoing, StoredAlerts } from './stored-alerts.ts';

export interface AlertsParts {
  readonly gateway: ObservedGateway;
  readonly live: Live;
  readonly engine: Engine;
  readonly notes: Notes;
  readonly sources: AlertSources;
  readonly send: SendAlert;
  readonly log: PluginLog;
  readonly clock: { now(): number };
}

/** An alert that is not inactive, in words. */
export interface ActiveAlertView {
  readonly name: string;
  readonly state: 'pending' | 'firing';
  /** ISO 8601. */
  readonly since: string;
  readonly message: string;
}

export type TestedAlert =
  | { readonly kind: 'sent'; readonly receivers: readonly JsonObject[] }
  | { readonly kind: 'not_found' };

/**
 * The alerts of a gateway: counts what rules are about, evaluates the rules, and sends what changes. What it knows is stored
 * before it is sent, so that a restart neither repeats a message nor loses one. Nothing here is on the way of a request except
 * counting, and no failure here fails anything else.
 */
export class Alerts {
  readonly #parts: AlertsParts;
  readonly #observer: AlertObserver;
  readonly #stored: StoredAlerts;
  readonly #shared: SharedObservations;
  readonly #subscriptions: Subscriptions;
  readonly #countedSince: number;
  #revision: string;
  #record: AlertsRecord = emptyRecord;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #sending = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #isFailing = false;
  #isKnownEmpty = false;
  #failures = 0;

  constructor(parts: AlertsParts) {
    this.#parts = parts;
    const { gateway, live, engine, notes, sources, clock } = parts;
    this.#observer = new AlertObserver(sources);
    this.#stored = new StoredAlerts(notes);
    this.#shared = new SharedObservations(engine, notes);
    this.#countedSince = clock.now();
    this.#revision = live.current.revision;
    this.#observer.watch(live.current.config);
    this.#subscriptions = new Subscriptions(gateway);
    const { request, attempt, run } = channels;
    this.#subscriptions.add(request.decided, (message) => this.#observer.requestDecided(message, clock.now()));
    this.#subscriptions.add(request.end, (message) => this.#observer.requestEnded(message, clock.now()));
    this.#subscriptions.add(attempt.end, (message) => this.#observer.attemptEnded(message, clock.now()));
    this.#subscriptions.add(run, (message) => this.#observer.runEnded(message, clock.now()));
  }

  /** Evaluates from now on, as often as the config says. */
  start(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      void this.evaluate().finally(() => this.start());
    }, this.#parts.live.current.config.alerts.intervalMs);
    this.#timer.unref();
  }

  /** To be called when another snapshot serves. */
  configChanged(): void {
    const { live, clock } = this.#parts;
    if (live.current.revision === this.#revision) return;
    this.#revision = live.current.revision;
    this.#observer.reloaded(clock.now());
    this.#observer.watch(live.current.config);
  }

  /** Evaluates all rules, and sends what is due. Never rejects. */
  async evaluate(): Promise<void> {
    try {
      await this.#inTurn(() => this.#evaluate());
      this.#isFailing = false;
    } catch (err) {
      const message = 'alerts could not be evaluated; they will be with the next interval';
      if (!this.#isFailing) this.#parts.log[EngineUnavailable.is(err) ? 'warn' : 'error']({ err }, message);
      this.#isFailing = true;
    }
  }

  /** Resolves when every message that is being sent was answered. */
  async delivered(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending.values());
  }

  /** Alerts that are pending or firing, as they were evaluated last. */
  activeAlerts(): readonly ActiveAlertView[] {
    return this.#record.active.map(({ rule, state, since, subject, text }) => ({
      name: rule,
      state,
      since: new Date(since).toISOString(),
      message: subject === '' ? text : `${subject}: ${text}`,
    }));
  }

  /** How many alerts of each rule fire. */
  firing(): ReadonlyMap<string, number> {
    const counts = new Map(this.#parts.live.current.config.alerts.rules.map(({ name }) => [name, 0]));
    for (const { rule, state } of this.#record.active) {
      if (state === 'firing') counts.set(rule, (counts.get(rule) ?? 0) + 1);
    }
    return counts;
  }

  /** How many attempts to send a message have failed. */
  get failures(): number {
    return this.#failures;
  }

  /** The rules with their alerts, and what was sent last. */
  list(): readonly JsonObject[] {
    const { rules } = this.#parts.live.current.config.alerts;
    const { active, sent, outgoing } = this.#record;
    return rules.map(({ name, condition, to }) => {
      const alerts = active.filter(({ rule }) => rule === name);
      const states = new Set(alerts.map(({ state }) => state));
      return {
        name,
        kind: condition.kind,
        state: states.has('firing') ? 'firing' : states.has('pending') ? 'pending' : 'inactive',
        alerts: alerts.map(({ state, subject, since, firedAt, value, text }) => ({
          about: subject === '' ? null : subject,
          state,
          since: new Date(since).toISOString(),
          firedAt: firedAt === undefined ? null : new Date(firedAt).toISOString(),
          value,
          message: text,
        })),
        receivers: to.map((receiver) => {
          const last = sent[name]?.[receiver];
          const isWaiting = outgoing.some(
            (one) => one.receiver === receiver && one.message.alerts.some((alert) => alert.name === name),
          );
          return {
            name: receiver,
            lastSent: last === undefined ? null : new Date(last.at).toISOString(),
            lastState: last?.state ?? null,
            result: last?.result ?? null,
            status: last?.status ?? null,
            failure: last?.failure ?? null,
            waiting: isWaiting,
          };
        }),
      };
    });
  }

  /** Sends a test message to the receivers of a rule, once, and returns what they answer. */
  async test(name: string): Promise<TestedAlert> {
    const { live, send, clock } = this.#parts;
    const rule = live.current.config.alerts.rules.find((one) => one.name === name);
    if (rule === undefined) return { kind: 'not_found' };
    const message = testMessage({ name, kind: rule.condition.kind }, clock.now(), this.#serving);
    const targets = live.current.alertTargets.filter((target) => rule.to.includes(target.name));
    const receivers = await Promise.all(
      targets.map(async (target) => {
        const { result, status, failure } = await send(target, message);
        return { name: target.name, result, status: status ?? null, failure: failure ?? null };
      }),
    );
    return { kind: 'sent', receivers };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#subscriptions.close();
    await this.#turn;
    await this.delivered();
  }

  get #serving() {
    const { revision, gitCommit: commit } = this.#parts.live.current;
    return { revision, commit };
  }

  async #evaluate(): Promise<void> {
    const { live, clock } = this.#parts;
    if (this.#isClosed) return;
    const now = clock.now();
    const { rules } = live.current.config.alerts;
    // What earlier rules have left is looked up once.
    if (rules.length === 0 && this.#isKnownEmpty) return;
    const observations = await this.#shared.gather(rules, await this.#observer.observe(now));
    const record = await this.#stored.read();
    this.#record = record;
    if (observations === undefined) return;
    const watched = Object.fromEntries(rules.map(({ name }) => [name, record.watched[name] ?? now]));
    const input = { now, rules, observations, watched, active: record.active, countedSince: this.#countedSince };
    const { active, changes } = evaluate(input);
    const { alertTargets } = live.current;
    const names = new Set(rules.map(({ name }) => name));
    const added = messagesOf(changes, alertTargets, this.#serving);
    const receivers = new Set(alertTargets.map(({ name }) => name));
    const next: AlertsRecord = {
      active,
      outgoing: enqueue(record.outgoing, added).filter(({ receiver }) => receivers.has(receiver)),
      sent: Object.fromEntries(Object.entries(record.sent).filter(([name]) => names.has(name))),
      watched,
    };
    // Another node has evaluated meanwhile: it sends.
    if (!(await this.#stored.write(next))) return;
    this.#record = next;
    this.#isKnownEmpty = rules.length === 0 && next.outgoing.length === 0;
    for (const { state, alert } of changes) {
      const { rule, subject, text } = alert;
      const fields = { alert: rule, ...(subject !== '' && { about: subject }), text };
      this.#parts.log[state === 'firing' ? 'warn' : 'info'](fields, `alert ${state}`);
    }
    this.#sendDue();
  }

  #sendDue(): void {
    if (this.#isClosed) return;
    const { clock, log } = this.#parts;
    const now = clock.now();
    for (const one of dueMessages(this.#record.outgoing, now, (receiver) => this.#sending.has(receiver))) {
      const target = this.#parts.live.current.alertTargets.find(({ name }) => name === one.receiver);
      if (target === undefined) continue;
      const sending = this.#parts
        .send(target, one.message)
        .then((delivery) => this.#inTurn(() => this.#answered(one, delivery)))
        .then(
          () => {
            this.#sending.delete(one.receiver);
            // The next message of this receiver.
            this.#sendDue();
          },
          (err) => {
            // It is sent again, with the same id, after the next evaluation.
            this.#sending.delete(one.receiver);
            log.warn({ err, receiver: one.receiver }, 'what became of an alert could not be stored');
          },
        );
      this.#sending.set(one.receiver, sending);
    }
  }

  async #answered(one: Outgoing, delivery: Delivery): Promise<void> {
    const { log, clock } = this.#parts;
    // One that the stop of the gateway has cut short is sent again by the next start.
    if (this.#isClosed && delivery.result === 'failed') return;
    const { receiver, message } = one;
    const { record, isGivenUp } = afterAttempt(await this.#stored.read(), one, delivery, clock.now());
    await this.#stored.write(record);
    this.#record = record;
    if (delivery.result === 'delivered') return;
    this.#failures += 1;
    const { failure } = delivery;
    const fields = { receiver, messageId: message.id, failure };
    if (isGivenUp) log.error(fields, 'an alert was not delivered; giving up');
    else if (delivery.result === 'gone') log.warn(fields, 'the receiver of an alert is gone (410); not retried');
    else log.warn(fields, 'an alert was not delivered; it will be sent again');
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(step);
    this.#turn = done.catch(() => {});
    return done;
  }
}
