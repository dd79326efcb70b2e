import type { Config, StageUse, TriggerConfig } from '../config/model.ts';
import { Slices } from '../config/slices.ts';
import { descriptorOf } from '../config/stages.ts';
import { nameOf, usesOf } from '../config/uses-of.ts';
import { type Auth, type AuthReview, type Stage, stages } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { anonymousSharing } from './anonymous-sharing.ts';
import { AuthList, partsOf } from './auth-list.ts';
import { type AuthReviews, unreachableAuth } from './auth-reviews.ts';
import { type CallbackTarget, callbackTarget } from './callback-target.ts';
import { Findings, type Policy } from './findings.ts';
import type { Instances } from './instances.ts';
import {
  type CompiledLimit,
  type LimitExpression,
  type LimitExpressions,
  limitExpression,
  type PerValue,
} from './limit-expression.ts';
import { openCors } from './open-cors.ts';
import { unlimitedKeys } from './public-keys.ts';
import { type CompiledSession, type SessionExpression, sessionExpression } from './session-expression.ts';
import type { ProvisionedStages, StageInstances } from './stage-instances.ts';
import { standInFor } from './stand-ins.ts';
import { type BodySettings, bodySettings } from './trigger-body-settings.ts';
import { unmeteredRuns } from './unmetered-runs.ts';
import { visitorFindings } from './visitor-findings.ts';

/** A trigger with an instance of a plugin in each of its stages. */
export interface ProvisionedTrigger extends ProvisionedStages {
  readonly config: TriggerConfig;
  readonly callback: CallbackTarget | undefined;
  readonly body: BodySettings;
  /** What `per` of its `debounce` finds in a request, if it is an expression. */
  readonly debouncePer: LimitExpression | undefined;
}

/** What a config is provisioned for: to serve requests, or to predict how it would serve them. */
export type Purpose = 'serve' | 'review';

export interface ProvisionedConfig {
  /** Undefined with at least one error among the findings. */
  readonly defaultAuth: Auth | undefined;
  /** Those that could be provisioned; all of them unless there is an error. */
  readonly triggers: readonly ProvisionedTrigger[];
  readonly authReviews: AuthReviews;
  /** What `per` finds in a request, of all limits and concurrencies of the config of which it is an expression. */
  readonly limitExpressions: LimitExpressions;
  readonly findings: readonly Problem[];
}

/** Provides an instance for every stage of every trigger. Never stops at a fault: all of them are found at once. */
export async function provisionTriggers(
  config: Config,
  instances: Instances,
  purpose: Purpose,
): Promise<ProvisionedConfig> {
  const provisioner = new Provisioner(instances, config.tokens !== undefined);
  const defaultAuth = await provisioner.auth(config.defaultAuth, purpose === 'review' ? 'review' : 'must');
  const triggers: ProvisionedTrigger[] = [];
  const slices = new Slices();
  for (const trigger of config.triggers) {
    const provisioned = await provisioner.trigger(trigger, policyOf(trigger, purpose));
    if (provisioned !== undefined) triggers.push(provisioned);
    const pause = slices.next();
    if (pause) await pause;
  }
  const limitExpressions = await provisioner.limits(config);
  // A plan can compare with a config from before limits were required.
  if (purpose === 'serve') {
    provisioner.findings.add(unlimitedKeys(config), 'must');
    provisioner.findings.add(unmeteredRuns(config, triggers), 'must');
  }
  const { authReviews, findings } = provisioner;
  return { defaultAuth, triggers, authReviews, limitExpressions, findings: findings.judged() };
}

function policyOf({ status }: TriggerConfig, purpose: Purpose): Policy {
  if (purpose === 'review') return 'review';
  return status === 'paused' ? 'mayLackSecrets' : 'must';
}

class Provisioner {
  readonly findings = new Findings();
  readonly authReviews = new Map<StageUse, AuthReview>();
  /** Triggers that take `body` from their defaults share an expression. */
  readonly #sessions = new Map<string, CompiledSession>();
  /** As above, of `debounce`. */
  readonly #debounces = new Map<string, CompiledLimit>();
  readonly #instances: Instances;
  readonly #hasTokens: boolean;
  /** Triggers that take the same list from their defaults have one auth: by that, others know that it is the same. */
  readonly #auths = new Map<readonly StageUse[], Auth>();

  constructor(instances: Instances, hasTokens: boolean) {
    this.#instances = instances;
    this.#hasTokens = hasTokens;
  }

  /** The trigger with all its instances, or undefined with at least one error found. */
  async trigger(config: TriggerConfig, policy: Policy): Promise<ProvisionedTrigger | undefined> {
    const provided = new Map<Stage, Provision>();
    for (const stage of stages) provided.set(stage, await this.#stage(stage, config, policy));
    const callback = await this.#callback(config, policy);
    const session = this.#session(config);
    if (callback === undefined || (config.body.session !== undefined && session === undefined)) return undefined;
    if ([...provided.values()].includes(undefined)) return undefined;
    const entries = [...provided].map(([stage, provision]) => [stage, provision?.value]);
    // The table says which stages are lists and which may be left out, and the type is made of the same table.
    const ofStages = Object.fromEntries(entries) as ProvisionedStages;
    this.findings.add(credentialReaders(config, ofStages), 'must');
    this.findings.add(openCors(config), 'must');
    this.findings.add(visitorFindings(config, ofStages.auth, this.#hasTokens), 'must');
    this.findings.add(anonymousSharing(config, ofStages.dedup, this.authReviews), 'must');
    const body = bodySettings(config.body, config.auth, this.authReviews, session);
    this.findings.add(unreadNotBefore(config, body), 'must');
    this.findings.add(movedBursts(config), 'must');
    return { config, ...ofStages, callback: callback.value, body, debouncePer: this.#debouncePer(config) };
  }

  /** One plugin as it is, several as one; undefined with at least one error found. */
  async auth(uses: readonly StageUse[], policy: Policy): Promise<Auth | undefined> {
    const provided = await this.#instancesOf('auth', uses, policy);
    this.findings.add(unreachableAuth(uses, this.authReviews), 'must');
    const parts = complete(provided);
    if (parts === undefined) return undefined;
    const known = this.#auths.get(uses);
    if (known !== undefined) return known;
    const [first] = parts;
    const auth = parts.length === 1 && first ? first : new AuthList(parts);
    this.#auths.set(uses, auth);
    return auth;
  }

  /** Also those of paused triggers and revoked keys, whose faults should be found before they are active again. */
  async limits({ limits, projects, triggers, apiKeys }: Config): Promise<LimitExpressions> {
    const compiled = new Map<PerValue, LimitExpression>();
    const slices = new Slices();
    const declared: readonly PerValue[] = [{ limits }, ...projects, ...triggers, ...apiKeys].flatMap(
      (one) => one.limits,
    );
    // Triggers that take `run` from their defaults share one.
    const concurrencies = new Set(triggers.flatMap(({ run }) => run.concurrency ?? []));
    for (const limit of [...declared, ...concurrencies]) {
      if (limit.per?.kind !== 'expression') continue;
      const { expression, findings } = limitExpression(...named(limit));
      this.findings.add(findings, 'must');
      if (expression !== undefined) compiled.set(limit, expression);
      const pause = slices.next();
      if (pause) await pause;
    }
    return compiled;
  }

  async #stage(stage: Stage, config: TriggerConfig, policy: Policy): Promise<Provision> {
    if (stage === 'auth') {
      const auth = await this.auth(config.auth, policy);
      return auth && { value: auth };
    }
    const uses = usesOf(config, stage);
    const instances = complete(await this.#instancesOf(stage, uses, policy));
    if (instances === undefined) return undefined;
    if (descriptorOf(stage).many === undefined) return { value: instances[0] };
    return { value: instances.map((instance, index) => ({ name: nameOf(uses[index]), instance })) };
  }

  /** The instance for each use, or undefined with at least one error found for it. */
  async #instancesOf<S extends Stage>(
    stage: S,
    uses: readonly StageUse[],
    policy: Policy,
  ): Promise<readonly (StageInstances[S] | undefined)[]> {
    // Only what has a stand-in can do without its secrets.
    const applied = standInFor(stage, policy) === undefined ? 'must' : policy;
    const instances: (StageInstances[S] | undefined)[] = [];
    for (const use of uses) {
      const { value, findings, review } = await this.#instances.of(stage, use, applied);
      this.findings.add(findings, applied);
      if (review !== undefined) this.authReviews.set(use, review);
      instances.push(value);
    }
    return instances;
  }

  #session({ body }: TriggerConfig): SessionExpression | undefined {
    if (body.session === undefined || body.place === undefined) return undefined;
    const at = `${body.place.file}\0${body.place.pointer}`;
    const known = this.#sessions.get(at);
    if (known !== undefined) return known.expression;
    const compiled = sessionExpression(body);
    this.#sessions.set(at, compiled);
    this.findings.add(compiled.findings, 'must');
    return compiled.expression;
  }

  /** With an error found if it cannot be used. */
  #debouncePer({ debounce }: TriggerConfig): LimitExpression | undefined {
    if (debounce?.per?.kind !== 'expression') return undefined;
    const at = `${debounce.place.file}\0${debounce.place.pointer}`;
    const known = this.#debounces.get(at);
    if (known !== undefined) return known.expression;
    const compiled = limitExpression({ unit: 'runs', per: debounce.per, place: debounce.place }, 'debounce');
    this.#debounces.set(at, compiled);
    this.findings.add(compiled.findings, 'must');
    return compiled.expression;
  }

  /** A review sends no callbacks; a paused trigger has none to send before its secret is there. */
  async #callback(
    { callback }: TriggerConfig,
    policy: Policy,
  ): Promise<{ value: CallbackTarget | undefined } | undefined> {
    if (callback === undefined || policy === 'review') return { value: undefined };
    const { value, findings } = await callbackTarget(callback);
    this.findings.add(findings, policy);
    return value === undefined && policy === 'must' ? undefined : { value };
  }
}

/** What a trigger has of a stage; undefined: something is missing that it must have. */
type Provision = { readonly value: unknown } | undefined;

function complete<T>(instances: readonly (T | undefined)[]): readonly T[] | undefined {
  const found = instances.filter((instance) => instance !== undefined);
  return found.length === instances.length ? found : undefined;
}

function named(limit: PerValue): Parameters<typeof limitExpression> {
  return 'unit' in limit ? [limit, `the limit "${limit.name}"`] : [{ unit: 'runs', ...limit }, 'run.concurrency'];
}

/** Each request of a burst could name another time. */
function movedBursts({ debounce, run }: TriggerConfig): readonly Problem[] {
  if (debounce === undefined || run.notBeforeMs === undefined) return [];
  const message = 'a debounced run starts when its burst is over, so callers cannot say when by run.notBefore';
  const hint = 'Remove debounce, or notBefore.';
  return [{ code: 'bad_option', severity: 'error', message, hint, place: debounce.place }];
}

/** A sender of its own kind knows no `notBefore`. */
function unreadNotBefore({ key, run }: TriggerConfig, { fields }: BodySettings): readonly Problem[] {
  if (run.notBeforeMs === undefined || fields === 'checked') return [];
  const message = `notBefore is not read from the bodies of the trigger ${key}, whose fields are free`;
  const place = { ...run.place, pointer: `${run.place.pointer}/notBefore` };
  return [{ code: 'option_warning', severity: 'warning', message, place }];
}

/** A filter that could read a credential could reveal it, one character at a time; an answer could repeat it. */
function credentialReaders(
  config: TriggerConfig,
  { auth, filter, dedup, respond }: ProvisionedStages,
): readonly Problem[] {
  const secret = new Set(
    partsOf(auth).flatMap(({ credentials }) => (credentials?.headers ?? []).map((name) => name.toLowerCase())),
  );
  const readers = [
    ...filter.map(({ instance }, index) => ({ reader: instance, use: config.filter[index] })),
    { reader: dedup, use: config.dedup },
    { reader: respond, use: config.respond },
  ];
  return readers.flatMap(({ reader, use }): Problem[] => {
    const name = reader?.reads?.headers.find((header) => secret.has(header.toLowerCase()));
    if (name === undefined || use === undefined) return [];
    const message = `${use.uses} reads the header ${name}, which carries the credential of the trigger's callers`;
    return [{ code: 'bad_option', severity: 'error', message, place: use.place }];
  });
}
