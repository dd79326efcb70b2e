import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Engine } from '../engine/types/index.ts';
import type { Live } from '../runtime/live.ts';
import type { MemoryBudget } from '../runtime/memory/memory-budget.ts';
import type { Recorder } from '../runtime/recording/recorder.ts';
import type { Reloader } from '../runtime/reloader.ts';
import type { Spending } from '../runtime/spending.ts';
import type { Alerts } from './alerts/alerts.ts';
import type { OutcomeLog } from './outcome-log.ts';

export interface Measured {
  readonly live: Live;
  readonly outcomes: OutcomeLog;
  readonly engine: Engine;
  readonly recorder: Recorder;
  readonly reloader: () => Reloader;
  readonly memory: MemoryBudget;
  /** Connections that are being closed. */
  readonly lingering: { readonly count: number };
  readonly spending: Spending;
  readonly alerts: Alerts;
}

export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
  /** As prom-client merges them with those of other processes. */
  data(): Promise<readonly object[]>;
}

/** The gateway's metrics in the text format of Prometheus. They cost nothing until they are read. */
export function metricsOf(measured: Measured): Metrics {
  const { live, outcomes, engine, recorder, reloader, memory, lingering, spending, alerts } = measured;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Counter({
    name: 'pullcord_requests_total',
    help: 'Requests by trigger and outcome: accepted, handshake, or the code of the error reply.',
    labelNames: ['project', 'trigger', 'outcome', 'reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { project, trigger, outcome, reason, total } of outcomes.counts()) {
        this.inc({ project, trigger, outcome, reason }, total);
      }
    },
  });
  new Counter({
    name: 'pullcord_limits_shadowed_total',
    help: 'Requests that a limit in shadow mode would have refused, by trigger and the name of the limit.',
    labelNames: ['project', 'trigger', 'limit'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { project, trigger, limit, total } of outcomes.shadowCounts()) {
        this.inc({ project, trigger, limit }, total);
      }
    },
  });
  new Gauge({
    name: 'pullcord_runs',
    help: 'Runs that have not ended, by state: queued or running.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(engine.load())) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'pullcord_circuit_open',
    aggregator: 'max',
    help: 'Whether the queue of a trigger with run.circuit is held because its agent is down: 1 or 0.',
    labelNames: ['project', 'trigger'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { project, key, run } of live.current.config.triggers) {
        if (run.circuit !== undefined) this.set({ project: project.id, trigger: key }, 0);
      }
      for (const { project, trigger } of engine.openCircuits()) this.set({ project, trigger }, 1);
    },
  });
  new Counter({
    name: 'pullcord_run_tokens_total',
    help: 'Tokens that runs have used, by kind: input, output, cached (a part of input), reasoning (a part of output).',
    labelNames: ['project', 'trigger', 'kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { project, trigger, input, output, cached, reasoning } of spending.totals()) {
        for (const [kind, count] of Object.entries({ input, output, cached, reasoning }))
          this.inc({ project, trigger, kind }, count);
      }
    },
  });
  new Counter({
    name: 'pullcord_run_cost_total',
    help: 'What runs have cost, in units of the currency, under the prices of the config.',
    labelNames: ['project', 'trigger', 'currency'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { project, trigger, nanos } of spending.totals()) {
        for (const [currency, sum] of nanos) this.inc({ project, trigger, currency }, sum / 1e9);
      }
    },
  });
  new Gauge({
    name: 'pullcord_memory_bytes',
    help: 'Memory that is held for requests and runs, by kind, as the gateway estimates it.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const [kind, bytes] of Object.entries(memory.held)) this.set({ kind }, bytes);
    },
  });
  new Gauge({
    name: 'pullcord_memory_limit_bytes',
    help: 'The most that pullcord_memory_bytes may be together: server.memory.',
    registers: [registry],
    collect() {
      this.set(memory.limit);
    },
  });
  new Gauge({
    name: 'pullcord_lingering_connections',
    help: 'Connections that are closed once their clients have read the last response.',
    registers: [registry],
    collect() {
      this.set(lingering.count);
    },
  });
  new Counter({
    name: 'pullcord_recordings_lost_total',
    help: 'Requests that were chosen for recording but could not be stored.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(recorder.lost);
    },
  });
  new Counter({
    name: 'pullcord_config_reloads_total',
    help: 'Reloads of the config by outcome: accepted, rejected, reverted (what was refused is gone), or abandoned at their deadline.',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(reloader().counts)) this.inc({ outcome }, count);
    },
  });
  new Gauge({
    name: 'pullcord_config_reload_ok',
    aggregator: 'min',
    help: 'Whether the files on disk, as they were last read, are what serves: 1 or 0.',
    registers: [registry],
    collect() {
      this.set(reloader().last.ok ? 1 : 0);
    },
  });
  new Gauge({
    name: 'pullcord_config_reload_running_seconds',
    aggregator: 'max',
    help: 'How long the reload that is going on has taken; 0 if none is.',
    registers: [registry],
    collect() {
      this.set((reloader().running?.durationMs ?? 0) / 1000);
    },
  });
  new Gauge({
    name: 'pullcord_config_revocations_ahead',
    aggregator: 'max',
    help: 'API keys that have lost something although the config that takes it from them does not serve yet.',
    registers: [registry],
    collect() {
      this.set(reloader().revocations.length);
    },
  });
  new Gauge({
    name: 'pullcord_alerts_firing',
    aggregator: 'max',
    help: 'How many alerts of a rule of gateway.yaml fire.',
    labelNames: ['alert'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [alert, count] of alerts.firing()) this.set({ alert }, count);
    },
  });
  new Counter({
    name: 'pullcord_alert_sendings_failed_total',
    help: 'Attempts to send an alert that its receiver did not accept.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(alerts.failures);
    },
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    data: () => registry.getMetricsAsJSON(),
  };
}
