import cluster, { type Worker as Fork } from 'node:cluster';
import { join } from 'node:path';
import type { PluginLog } from '../../contract/index.ts';
import type { ExpositionFormat } from '../../observe/exposition.ts';
import { MergedMetrics, type MetricsData } from './merged-metrics.ts';
import { type ToPrimary, type ToWorker, workerSocketVariable } from './messages.ts';

/** The pause before an ended process is replaced, at first and at most, in milliseconds. Doubled each time. */
const pauseMs = { first: 100, most: 30_000 };
/** A process that has served for this long, in milliseconds, has not failed at its start. */
const soundMs = 10_000;
/** After how many failed starts in a row, while no process serves, all is given up. */
const mostFailures = 5;
/** How long a process may take to answer with its metrics, in milliseconds. */
const metricsMs = 5000;

interface Member {
  readonly fork: Fork;
  readonly slot: number;
  readonly socket: string;
  /** By `performance.now()`; undefined: it does not serve yet. */
  servesSince: number | undefined;
  serving: Extract<ToPrimary, { kind: 'serving' }> | undefined;
  metrics: MetricsData;
  onMetrics: (() => void) | undefined;
}

/** How a process has ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The processes that serve, each replaced when it ends. */
export class Workers {
  readonly #log: PluginLog;
  readonly #folder: string;
  readonly #members = new Map<number, Member>();
  readonly #merged = new MergedMetrics();
  readonly #over = Promise.withResolvers<Ended>();
  readonly #replacements = new Set<NodeJS.Timeout>();
  #starts = 0;
  #failures = 0;
  #isStopping = false;
  #worst: Ended = { code: 0, signal: null };

  /** @param folder where the sockets of their admin listeners are, which nobody else can reach */
  constructor(log: PluginLog, folder: string) {
    this.#log = log;
    this.#folder = folder;
  }

  /** Resolves when none is left, and none is started any more: how the worst of them has ended. */
  get over(): Promise<Ended> {
    return this.#over.promise;
  }

  /** The sockets of those that serve. */
  get sockets(): readonly string[] {
    return this.#serving().map(({ socket }) => socket);
  }

  /** Starts one, and the others once it serves: what prevents it from serving is reported once. */
  async start(count: number): Promise<Extract<ToPrimary, { kind: 'serving' }> | undefined> {
    const first = await this.#fork(1);
    if (first === undefined) return undefined;
    await Promise.all(Array.from({ length: count - 1 }, (_, index) => this.#fork(index + 2)));
    return first;
  }

  /** Passes a signal on to all. Those that end after a signal to stop are not replaced. */
  signal(signal: NodeJS.Signals): void {
    if (signal !== 'SIGHUP') this.#stop();
    for (const { fork } of this.#members.values()) send(fork, { kind: 'signal', signal });
    if (this.#isStopping && this.#members.size === 0) this.#over.resolve(this.#worst);
  }

  #stop(): void {
    this.#isStopping = true;
    for (const timer of this.#replacements) clearTimeout(timer);
  }

  /** Of all, in a format of Prometheus. */
  async metrics(format: ExpositionFormat): Promise<string> {
    const serving = this.#serving();
    await Promise.all(serving.map(askForMetrics));
    return this.#merged.text(
      serving.map(({ metrics }) => metrics),
      format,
    );
  }

  #serving(): readonly Member[] {
    return [...this.#members.values()].filter(({ serving }) => serving !== undefined);
  }

  /** Resolves when it serves, or has ended without. */
  #fork(slot: number): Promise<Extract<ToPrimary, { kind: 'serving' }> | undefined> {
    const socket = join(this.#folder, `${slot}-${this.#starts++}`);
    const { PULLCORD_NODE: name } = process.env;
    const env = { [workerSocketVariable]: socket, ...(name && { PULLCORD_NODE: `${name}-${slot}` }) };
    const fork = cluster.fork(env);
    const member: Member = {
      fork,
      slot,
      socket,
      servesSince: undefined,
      serving: undefined,
      metrics: [],
      onMetrics: undefined,
    };
    this.#members.set(fork.id, member);
    const { promise, resolve } = Promise.withResolvers<Extract<ToPrimary, { kind: 'serving' }> | undefined>();
    fork.on('message', (message: ToPrimary) => {
      if (message.kind === 'metrics') {
        member.metrics = message.data;
        member.onMetrics?.();
        return;
      }
      member.serving = message;
      member.servesSince = performance.now();
      this.#log.info({ pid: fork.process.pid, process: slot, revision: message.revision }, 'a process serves');
      resolve(message);
    });
    fork.on('error', (err) => this.#log.warn({ err, process: slot }, 'a process cannot be reached'));
    fork.once('exit', (code, signal) => {
      resolve(undefined);
      this.#ended(member, { code, signal });
    });
    return promise;
  }

  #ended(member: Member, ended: Ended): void {
    const { fork, slot, servesSince, metrics } = member;
    this.#members.delete(fork.id);
    member.onMetrics?.();
    this.#merged.ended(metrics);
    if (this.#isStopping) {
      if (ended.code !== 0) this.#worst = ended;
      if (this.#members.size === 0) this.#over.resolve(this.#worst);
      return;
    }
    const servedMs = servesSince === undefined ? 0 : performance.now() - servesSince;
    this.#failures = servedMs < soundMs ? this.#failures + 1 : 0;
    const serving = this.#serving().length;
    if (serving === 0 && ((member.serving === undefined && this.#starts === 1) || this.#failures >= mostFailures)) {
      if (this.#starts > 1)
        this.#log.error({ ...ended, failures: this.#failures }, 'processes end soon after they start');
      this.#worst = ended;
      this.signal('SIGTERM');
      return;
    }
    const delayMs = Math.min(pauseMs.first * 2 ** this.#failures, pauseMs.most);
    this.#log.error(
      { pid: fork.process.pid, process: slot, ...ended, delayMs },
      'a process has ended; another one follows',
    );
    const timer = setTimeout(() => {
      this.#replacements.delete(timer);
      void this.#fork(slot);
    }, delayMs);
    this.#replacements.add(timer);
  }
}

async function askForMetrics(member: Member): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // One that hangs is counted as it was.
  const timer = setTimeout(resolve, metricsMs);
  const before = member.onMetrics;
  member.onMetrics = () => {
    before?.();
    resolve();
  };
  send(member.fork, { kind: 'metrics' });
  await promise;
  clearTimeout(timer);
  member.onMetrics = undefined;
}

function send(fork: Fork, message: ToWorker): void {
  if (fork.isConnected()) fork.send(message);
}
