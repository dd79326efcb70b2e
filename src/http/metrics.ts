import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Engine } from '../engine/types/index.ts';
import type { Recorder } from '../runtime/recording/recorder.ts';
import type { OutcomeLog } from './outcome-log.ts';

interface Measured {
  readonly outcomes: OutcomeLog;
  readonly engine: Engine;
  readonly recorder: Recorder;
}

/** The gateway's metrics in the text format of Prometheus. They cost nothing until they are read. */
export function metricsOf({ outcomes, engine, recorder }: Measured): { contentType: string; text(): Promise<string> } {
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
  new Gauge({
    name: 'pullcord_runs',
    help: 'Runs that have not ended, by state: queued or running.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(engine.load())) this.set({ state }, count);
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
  return { contentType: registry.contentType, text: () => registry.metrics() };
}
