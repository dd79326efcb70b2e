import { expiringSecrets } from '../config/expiring-secrets.ts';
import type { Engine } from '../engine/types/index.ts';
import type { Live } from '../runtime/live.ts';
import type { MemoryBudget } from '../runtime/memory/memory-budget.ts';
import type { ThisNode } from '../runtime/nodes/this-node.ts';
import type { Recorder } from '../runtime/recording/recorder.ts';
import type { Reloader } from '../runtime/reloader.ts';
import type { Spending } from '../runtime/spending.ts';
import type { Alerts } from './alerts/alerts.ts';
import type { Measurements } from './measurements.ts';
import type { MetricFamily, MetricSample } from './metric-family.ts';
import type { OutcomeLog } from './outcome-log.ts';

/** What metrics are read from. */
export interface Measured {
  readonly live: Live;
  readonly outcomes: OutcomeLog;
  readonly measurements: Measurements;
  readonly engine: Engine;
  readonly recorder: Recorder;
  readonly reloader: () => Reloader;
  readonly memory: MemoryBudget;
  /** Connections that are being closed. */
  readonly lingering: { readonly count: number };
  readonly spending: Spending;
  /** Undefined: nothing is exported. */
  readonly traces: { readonly dropped: number } | undefined;
  readonly node: ThisNode;
  readonly alerts: Alerts;
}

/** A metric of the gateway: its documentation is generated from this too. */
export interface MetricDefinition extends Omit<MetricFamily, 'values'> {
  readonly labels: readonly string[];
  /** Reads it, when metrics are asked for. */
  samples(measured: Measured): Iterable<MetricSample>;
}

/** All metrics of the gateway, in the order in which they are shown. */
export const metricCatalogue: readonly MetricDefinition[] = [
  {
    name: 'pullcord_requests_total',
    type: 'counter',
    help: 'Requests by trigger and outcome: accepted, handshake, or the code of the error reply.',
    labels: ['project', 'trigger', 'outcome', 'reason'],
    *samples({ outcomes }) {
      for (const { project, trigger, outcome, reason, total } of outcomes.counts())
        yield { labels: { project, trigger, outcome, reason }, value: total };
    },
  },
  {
    name: 'pullcord_request_duration_seconds',
    type: 'histogram',
    help: 'From the arrival of a request to fire a trigger until its answer was sent or its stream ended, by outcome.',
    labels: ['outcome'],
    samples: ({ measurements }) => measurements.requests.samples('pullcord_request_duration_seconds'),
  },
  {
    name: 'pullcord_limits_refused_total',
    type: 'counter',
    help: 'Requests that a limit has refused, by trigger and the name of the limit.',
    labels: ['project', 'trigger', 'limit'],
    *samples({ outcomes }) {
      for (const { project, trigger, outcome, reason, total } of outcomes.counts())
        if (outcome === 'rate_limited') yield { labels: { project, trigger, limit: reason }, value: total };
    },
  },
  {
    name: 'pullcord_limits_shadowed_total',
    type: 'counter',
    help: 'Requests that a limit in shadow mode would have refused, by trigger and the name of the limit.',
    labels: ['project', 'trigger', 'limit'],
    *samples({ outcomes }) {
      for (const { project, trigger, limit, total } of outcomes.shadowCounts())
        yield { labels: { project, trigger, limit }, value: total };
    },
  },
  {
    name: 'pullcord_log_lines_suppressed_total',
    type: 'counter',
    help: 'Refused and failed requests without a line of their own in the log, which sums them up.',
    labels: [],
    samples: ({ outcomes }) => [one(outcomes.suppressed)],
  },
  {
    name: 'pullcord_runs',
    type: 'gauge',
    help: 'Runs that have not ended, by state: queued or running.',
    labels: ['state'],
    samples: ({ engine }) =>
      Object.entries(engine.load()).map(([state, value]): MetricSample => ({ labels: { state }, value })),
  },
  {
    name: 'pullcord_runs_finished_total',
    type: 'counter',
    help: 'Runs that have become final, by trigger and state: succeeded, input_required, failed or cancelled.',
    labels: ['project', 'trigger', 'state'],
    *samples({ measurements }) {
      for (const { project, trigger, states } of measurements.runs())
        for (const [state, value] of Object.entries(states)) yield { labels: { project, trigger, state }, value };
    },
  },
  {
    name: 'pullcord_run_duration_seconds',
    type: 'summary',
    help: 'From the acceptance of a run until it was final, by trigger.',
    labels: ['project', 'trigger'],
    *samples({ measurements }) {
      for (const { project, trigger, states, seconds } of measurements.runs()) {
        const labels = { project, trigger };
        const count = Object.values(states).reduce((sum, value) => sum + value, 0);
        yield { metricName: 'pullcord_run_duration_seconds_sum', labels, value: seconds };
        yield { metricName: 'pullcord_run_duration_seconds_count', labels, value: count };
      }
    },
  },
  {
    name: 'pullcord_run_queue_seconds',
    type: 'histogram',
    help: 'From the acceptance of a run until its first attempt, including the delay that its trigger asks for.',
    labels: [],
    samples: ({ measurements }) => measurements.queue.samples('pullcord_run_queue_seconds', {}),
  },
  {
    name: 'pullcord_run_retries_total',
    type: 'counter',
    help: 'Attempts that failed and were followed by another one, by trigger.',
    labels: ['project', 'trigger'],
    *samples({ measurements }) {
      for (const { project, trigger, retries } of measurements.runs())
        yield { labels: { project, trigger }, value: retries };
    },
  },
  {
    name: 'pullcord_attempt_duration_seconds',
    type: 'histogram',
    help: 'How long attempts took, by run plugin and result: succeeded, input_required, failed, retry, cancelled, or released at a stop of the gateway.',
    labels: ['plugin', 'result'],
    samples: ({ measurements }) => measurements.attempts.samples('pullcord_attempt_duration_seconds'),
  },
  {
    name: 'pullcord_attempt_first_delta_seconds',
    type: 'histogram',
    help: 'From the start of an attempt until its agent streamed the first piece of its output, by run plugin; of attempts that stream.',
    labels: ['plugin'],
    samples: ({ measurements }) => measurements.firstDeltas.samples('pullcord_attempt_first_delta_seconds'),
  },
  {
    name: 'pullcord_circuit_open',
    type: 'gauge',
    aggregator: 'max',
    help: 'Whether the queue of a trigger with run.circuit is held because its agent is down: 1 or 0.',
    labels: ['project', 'trigger'],
    samples: ({ live, engine }) => circuits(live, engine),
  },
  {
    name: 'pullcord_run_tokens_total',
    type: 'counter',
    help: 'Tokens that runs have used, by kind: input, output, cached (a part of input), reasoning (a part of output).',
    labels: ['project', 'trigger', 'kind'],
    *samples({ spending }) {
      for (const { project, trigger, input, output, cached, reasoning } of spending.totals())
        for (const [kind, value] of Object.entries({ input, output, cached, reasoning }))
          yield { labels: { project, trigger, kind }, value };
    },
  },
  {
    name: 'pullcord_run_cost_total',
    type: 'counter',
    help: 'What runs have cost, in units of the currency, under the prices of the config.',
    labels: ['project', 'trigger', 'currency'],
    *samples({ spending }) {
      for (const { project, trigger, nanos } of spending.totals())
        for (const [currency, sum] of nanos) yield { labels: { project, trigger, currency }, value: sum / 1e9 };
    },
  },
  {
    name: 'pullcord_callbacks_total',
    type: 'counter',
    help: 'Attempts to send callbacks, by trigger and result: delivered, failed, gone (410), or given_up after the last one.',
    labels: ['project', 'trigger', 'result'],
    *samples({ measurements }) {
      for (const { project, trigger, results } of measurements.callbackTotals())
        for (const [result, value] of Object.entries(results)) yield { labels: { project, trigger, result }, value };
    },
  },
  {
    name: 'pullcord_callback_duration_seconds',
    type: 'histogram',
    help: 'How long attempts to send callbacks took, by result.',
    labels: ['result'],
    samples: ({ measurements }) => measurements.callbacks.samples('pullcord_callback_duration_seconds'),
  },
  {
    name: 'pullcord_engine_commit_duration_seconds',
    type: 'histogram',
    help: 'How long the gateway waited for commits of the engine to its store; none for the memory engine.',
    labels: [],
    samples: ({ measurements }) => measurements.commits.samples('pullcord_engine_commit_duration_seconds', {}),
  },
  {
    name: 'pullcord_engine_commit_operations',
    type: 'histogram',
    help: 'How many operations commits of the engine stored together.',
    labels: [],
    samples: ({ measurements }) => measurements.commitOperations.samples('pullcord_engine_commit_operations', {}),
  },
  {
    name: 'pullcord_nodes',
    type: 'gauge',
    aggregator: 'max',
    help: 'Nodes that are alive, as this one last read them; only with an engine that nodes share.',
    labels: [],
    samples: ({ engine }) => (engine.membership === undefined ? [] : [one(engine.membership.nodes)]),
  },
  {
    name: 'pullcord_node_lease_remaining_seconds',
    type: 'gauge',
    aggregator: 'min',
    help: 'For how long the lease of this node holds; 0 while it has none. Only with an engine that nodes share.',
    labels: [],
    samples: ({ engine }) => (engine.membership === undefined ? [] : [one(engine.membership.leaseMs / 1000)]),
  },
  {
    name: 'pullcord_memory_bytes',
    type: 'gauge',
    help: 'Memory that is held for requests and runs, by kind, as the gateway estimates it.',
    labels: ['kind'],
    samples: ({ memory }) =>
      Object.entries(memory.held).map(([kind, value]): MetricSample => ({ labels: { kind }, value })),
  },
  {
    name: 'pullcord_memory_limit_bytes',
    type: 'gauge',
    help: 'The most that pullcord_memory_bytes may be together: server.memory.',
    labels: [],
    samples: ({ memory }) => [one(memory.limit)],
  },
  {
    name: 'pullcord_lingering_connections',
    type: 'gauge',
    help: 'Connections that are closed once their clients have read the last response.',
    labels: [],
    samples: ({ lingering }) => [one(lingering.count)],
  },
  {
    name: 'pullcord_recordings_total',
    type: 'counter',
    help: 'Requests that were recorded.',
    labels: [],
    samples: ({ recorder }) => [one(recorder.stored)],
  },
  {
    name: 'pullcord_recordings_lost_total',
    type: 'counter',
    help: 'Requests that were chosen for recording but could not be stored.',
    labels: [],
    samples: ({ recorder }) => [one(recorder.lost)],
  },
  {
    name: 'pullcord_recordings_left_out_total',
    type: 'counter',
    help: 'Requests of a flood that are not recorded although they were dropped, limited or failed.',
    labels: [],
    samples: ({ recorder }) => [one(recorder.leftOut)],
  },
  {
    name: 'pullcord_trace_spans_dropped_total',
    type: 'counter',
    help: 'Spans that were not exported: the queue was full, or the collector did not take them.',
    labels: [],
    samples: ({ traces }) => [one(traces?.dropped ?? 0)],
  },
  {
    name: 'pullcord_config_reloads_total',
    type: 'counter',
    help: 'Reloads of the config by outcome: accepted, rejected, reverted (what was refused is gone), or abandoned at their deadline.',
    labels: ['outcome'],
    samples: ({ reloader }) =>
      Object.entries(reloader().counts).map(([outcome, value]): MetricSample => ({ labels: { outcome }, value })),
  },
  {
    name: 'pullcord_config_reload_ok',
    type: 'gauge',
    aggregator: 'min',
    help: 'Whether the files on disk, as they were last read, are what serves: 1 or 0.',
    labels: [],
    samples: ({ reloader }) => [one(reloader().last.ok ? 1 : 0)],
  },
  {
    name: 'pullcord_config_reload_running_seconds',
    type: 'gauge',
    aggregator: 'max',
    help: 'How long the reload that is going on has taken; 0 if none is.',
    labels: [],
    samples: ({ reloader }) => [one((reloader().running?.durationMs ?? 0) / 1000)],
  },
  {
    name: 'pullcord_config_last_reload_success_timestamp_seconds',
    type: 'gauge',
    aggregator: 'min',
    help: 'When the config was last loaded, at the start or by a reload.',
    labels: [],
    samples: ({ measurements }) => [one(measurements.reloadedAt / 1000)],
  },
  {
    name: 'pullcord_config_revocations_ahead',
    type: 'gauge',
    aggregator: 'max',
    help: 'API keys that have lost something although the config that takes it from them does not serve yet.',
    labels: [],
    samples: ({ reloader }) => [one(reloader().revocations.length)],
  },
  {
    name: 'pullcord_config_info',
    type: 'info',
    aggregator: 'max',
    help: 'The config that serves: its revision, its git commit, and whether it differs from that commit (dirty): true, false, or empty if nobody knows.',
    labels: ['revision', 'commit', 'dirty'],
    samples({ live }) {
      const { revision, gitCommit = '', isDirty = '' } = live.current;
      return [{ labels: { revision, commit: gitCommit, dirty: String(isDirty) }, value: 1 }];
    },
  },
  {
    name: 'pullcord_key_expires_timestamp_seconds',
    type: 'gauge',
    aggregator: 'max',
    help: 'When a secret of an active API key expires, by key and secret (its note or place); of those that do.',
    labels: ['key', 'secret'],
    *samples({ live }) {
      const seen = new Set<string>();
      for (const { key, label: secret, expiresAt } of expiringSecrets(live.current.config)) {
        const series = `${key}\n${secret}`;
        // Of secrets that share a label the first to expire counts.
        if (!seen.has(series)) yield { labels: { key, secret }, value: expiresAt / 1000 };
        seen.add(series);
      }
    },
  },
  {
    name: 'pullcord_alerts_firing',
    type: 'gauge',
    aggregator: 'max',
    help: 'How many alerts of a rule of gateway.yaml fire.',
    labels: ['alert'],
    *samples({ alerts }) {
      for (const [alert, value] of alerts.firing()) yield { labels: { alert }, value };
    },
  },
  {
    name: 'pullcord_alert_attempts_failed_total',
    type: 'counter',
    help: 'Attempts to send an alert that its receiver did not accept.',
    labels: [],
    samples: ({ alerts }) => [one(alerts.failures)],
  },
  {
    name: 'pullcord_build_info',
    type: 'info',
    aggregator: 'max',
    help: 'The version of the gateway and that of Node.',
    labels: ['version', 'node_version'],
    samples: ({ node }) => [{ labels: { version: node.version, node_version: process.version }, value: 1 }],
  },
];

function one(value: number): MetricSample {
  return { labels: {}, value };
}

function circuits(live: Live, engine: Engine): readonly MetricSample[] {
  const open = new Set(engine.openCircuits().map(({ project, trigger }) => `${project}\n${trigger}`));
  return live.current.config.triggers.flatMap(({ project: { id: project }, key: trigger, run }): MetricSample[] => {
    const isOpen = open.has(`${project}\n${trigger}`);
    return run.circuit === undefined && !isOpen ? [] : [{ labels: { project, trigger }, value: isOpen ? 1 : 0 }];
  });
}
