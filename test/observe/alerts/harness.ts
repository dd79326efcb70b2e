import type { Test } from 'tap';
import { parse } from 'yaml';
import type { AlertScope } from '../../../src/config/alert-model.ts';
import { ConfigLoader } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/model.ts';
import {
  type AttemptMessage,
  channels,
  type MessageChannel,
  type RequestMessage,
  type RunMessage,
} from '../../../src/contract/index.ts';
import { MemoryNotes } from '../../../src/engine/memory/notes.ts';
import type { Engine, Notes } from '../../../src/engine/types/index.ts';
import type { AlertTarget } from '../../../src/host/alert-targets.ts';
import { Alerts } from '../../../src/observe/alerts/alerts.ts';
import type { AlertMessage } from '../../../src/observe/alerts/message.ts';
import type { AlertSources } from '../../../src/observe/alerts/observer.ts';
import type { Delivery } from '../../../src/observe/alerts/sender.ts';
import { expiriesOf } from '../../../src/observe/alerts/sources.ts';
import type { Live } from '../../../src/runtime/live.ts';
import { basicFiles, configFolder, gatewayFile, triggerFile } from '../../support/config-folder.ts';
import { type LogLine, recordingLog } from '../../support/recording-log.ts';

/** A Monday, 08:00 UTC. */
export const monday = Date.parse('2026-01-05T08:00:00Z');

/** What a test sets of the world that alerts look at. */
export interface World {
  now: number;
  refusedSince: number | undefined;
  queued: number;
  open: { project: string; trigger: string }[];
  used: Record<string, readonly [number]>;
  expiries: Record<string, readonly [number]> | undefined;
  accepted: number | undefined;
  answer: Delivery;
}

export interface Sent {
  readonly receiver: string;
  readonly state: string;
  readonly names: readonly unknown[];
  readonly message: AlertMessage;
}

export interface Harness {
  readonly world: World;
  readonly alerts: Alerts;
  readonly sent: readonly Sent[];
  readonly log: readonly LogLine[];
  readonly notes: Notes;
  /** Moves the clock in steps of the interval, with an evaluation after each. */
  advance(ms: number): Promise<void>;
  runs(state: RunMessage['state'], count: number, trigger?: string): void;
  requests(outcome: string, count: number, options?: { trigger?: string; tookMs?: number; reason?: string }): void;
  attempts(count: number, tookMs: number): void;
  /** Serves another config. */
  serve(alerts: string): Promise<void>;
  /** Another process with the same store. */
  restart(): Harness;
}

const delivered: Delivery = { result: 'delivered', status: 200, failure: undefined, retryAfterMs: 0 };

/** Alerts by a clock of the test, over channels and a store that are those of a gateway. */
export async function alertHarness(t: Test, rules: string, notes: Notes = new MemoryNotes()): Promise<Harness> {
  const world: World = {
    now: monday,
    refusedSince: undefined,
    queued: 0,
    open: [],
    used: {},
    expiries: undefined,
    accepted: undefined,
    answer: delivered,
  };
  return startHarness(t, { world, notes, config: await configWith(t, rules), sent: [], log: [] });
}

interface Parts {
  readonly world: World;
  readonly notes: Notes;
  readonly config: Config;
  readonly sent: Sent[];
  readonly log: LogLine[];
}

function startHarness(t: Test, parts: Parts): Harness {
  const { world, notes, sent, log } = parts;
  const gateway = { node: 'test' };
  let current = { config: parts.config, revision: parts.config.revision, gitCommit: 'abc', alertTargets: targets };
  const live = {
    get current() {
      return current;
    },
  };
  const clock = { now: () => world.now };
  const sources: AlertSources = {
    lastAccepted: async (_scope: AlertScope) => world.accepted,
    refusedSince: () => world.refusedSince,
    queue: () => ({ queued: world.queued, most: 100 }),
    openCircuits: () => world.open,
    usedShares: async () => world.used,
    expiries: (scope) => world.expiries ?? expiriesOf(current.config, scope),
  };
  const alerts = new Alerts({
    gateway,
    live: live as unknown as Live,
    engine: {} as Engine,
    notes,
    sources,
    log: recordingLog(log),
    clock,
    send: async (target, message) => {
      sent.push({
        receiver: target.name,
        state: message.state,
        names: message.alerts.map(({ name }) => name),
        message,
      });
      return world.answer;
    },
  });
  t.teardown(() => alerts.close());
  const publish = <Message>(channel: MessageChannel<Message>, message: object): void =>
    channel.publish({ gateway, project: 'support', trigger: 'ask', ...message } as Message);
  const times = (count: number, work: () => void): void => {
    for (let index = 0; index < count; index += 1) work();
  };
  const evaluate = async (): Promise<void> => {
    await alerts.evaluate();
    await alerts.delivered();
  };
  return {
    world,
    alerts,
    sent,
    log,
    notes,
    async advance(ms) {
      const end = world.now + ms;
      await evaluate();
      while (world.now < end) {
        world.now = Math.min(world.now + 10_000, end);
        await evaluate();
      }
    },
    runs: (state, count, trigger = 'ask') =>
      times(count, () => publish<RunMessage>(channels.run, { state, trigger, finishedAt: world.now })),
    requests: (outcome, count, { trigger = 'ask', tookMs = 100, reason = '' } = {}) =>
      times(count, () => {
        publish<RequestMessage>(channels.request.decided, { outcome, trigger, reason });
        publish<RequestMessage>(channels.request.end, { outcome, trigger, reason, durationMs: tookMs });
      }),
    attempts: (count, durationMs) =>
      times(count, () => publish<AttemptMessage>(channels.attempt.end, { result: 'succeeded', durationMs })),
    async serve(rules) {
      const config = await configWith(t, rules);
      current = { ...current, config, revision: `${config.revision}-${world.now}` };
      alerts.configChanged();
    },
    restart() {
      void alerts.close();
      return startHarness(t, { ...parts, config: current.config });
    },
  };
}

const targets: readonly AlertTarget[] = [{ name: 'ops', format: 'slack', url: 'https://hooks.example.com/1' }];

/** The config of `rules`, the YAML of a list of them. */
async function configWith(t: Test, rules: string): Promise<Config> {
  const root = await configFolder(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({
      limits: [{ name: 'budget', runs: '100/1d' }],
      alerts: { to: [{ name: 'ops', format: 'slack', url: { env: 'ALERT_URL' } }], rules: parse(rules) },
    }),
    'ask.yaml': triggerFile('ask'),
    'sync.yaml': triggerFile('sync'),
  });
  const loaded = await new ConfigLoader(root).load();
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems, undefined, 2));
  return loaded.config;
}
