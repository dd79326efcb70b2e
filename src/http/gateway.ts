import type { PluginLog } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import { MemoryCounters } from '../engine/limits/memory-counters.ts';
import { type EngineBroken, EngineUnavailable } from '../engine/types/index.ts';
import { builtinRegistry } from '../host/builtins.ts';
import { engineProblem, mostQueuedOf, openEngine } from '../host/open-engine.ts';
import { createOutboundClient } from '../host/outbound/client.ts';
import { OutboundGuard } from '../host/outbound/guard.ts';
import { Alerts } from '../observe/alerts/alerts.ts';
import { alertSender } from '../observe/alerts/sender.ts';
import { gatewaySources } from '../observe/alerts/sources.ts';
import { History } from '../observe/history.ts';
import { KeyUses } from '../observe/key-uses.ts';
import { Measurements } from '../observe/measurements.ts';
import type { Metrics } from '../observe/metrics.ts';
import { OutcomeLog } from '../observe/outcome-log.ts';
import { RequestTail } from '../observe/request-tail.ts';
import { Revisions } from '../observe/revisions.ts';
import { RunLog } from '../observe/run-log.ts';
import type { TraceSettings } from '../observe/traces/settings.ts';
import { Traces } from '../observe/traces/traces.ts';
import { Completions } from '../runtime/attempt/completions.ts';
import { createExecutor } from '../runtime/attempt/executor.ts';
import { StopHandlers } from '../runtime/attempt/stop-handlers.ts';
import { AuditTrail } from '../runtime/audit/audit-trail.ts';
import { BodyDecoder } from '../runtime/body/content-coding.ts';
import { describeCommit } from '../runtime/describe-commit.ts';
import { Expectations } from '../runtime/limits/expectations.ts';
import { Live } from '../runtime/live.ts';
import { MemoryBudget } from '../runtime/memory/memory-budget.ts';
import { thisNode } from '../runtime/nodes/this-node.ts';
import { publishedCommits } from '../runtime/observed-engine.ts';
import { Recorder } from '../runtime/recording/recorder.ts';
import type { ReloadLimits } from '../runtime/reload-attempt.ts';
import { Reloader } from '../runtime/reloader.ts';
import { type Pause, SettledLoader } from '../runtime/settled-loader.ts';
import { SnapshotBuilder } from '../runtime/snapshot-builder.ts';
import { Spending } from '../runtime/spending.ts';
import { Tracer } from '../runtime/tracing/tracer.ts';
import { type ConfigWatch, watchConfig } from '../runtime/watch.ts';
import { Lingering } from './lingering.ts';
import { OpenStreams } from './open-streams.ts';
import type { Review } from './review.ts';
import { Shutdown } from './shutdown.ts';
import { Surface, type SurfaceOptions } from './surface.ts';

export interface GatewayOptions extends SurfaceOptions {
  /** The config folder. */
  readonly root: string;
  readonly log: PluginLog;
  /** How long a reload may take. */
  readonly reloadLimits?: ReloadLimits;
  /** Stands in for the clock by which files settle, in tests. */
  readonly pause?: Pause | undefined;
  /** Stands in for the clock of alerts, in tests. */
  readonly alertClock?: { now(): number } | undefined;
  /** How traces are exported; undefined: they are not, and those of trusted callers are passed on. */
  readonly traces?: TraceSettings | undefined;
  /** Dry runs for operators; undefined: there are none. */
  readonly review?: Review | undefined;
}

export type StartedGateway =
  | { readonly ok: true; readonly gateway: Gateway }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly sources: Sources };

export interface Gateway {
  /** Where the public and the admin listener are bound. */
  readonly address: { host: string; port: number };
  readonly adminAddress: { host: string; port: number };
  readonly reloader: Reloader;
  readonly metrics: Metrics;
  readonly alerts: Alerts;
  /** The revision that serves new requests. */
  readonly revision: string;
  /** The commit of which it is, and whether it differs from what is committed; undefined where git says nothing. */
  readonly gitCommit: string | undefined;
  readonly isDirty: boolean | undefined;
  /** Warnings of the config that serves. */
  readonly warnings: { readonly problems: readonly Problem[]; readonly sources: Sources };
  /** Resolves when nothing can be stored any more, whatever happens: the gateway must be closed. */
  readonly broken: Promise<EngineBroken>;
  /** `server.shutdownDelay` of the config that serves. */
  readonly shutdownDelayMs: number;
  /**
   * Fails `/readyz` and still serves for `server.shutdownDelay`, or until `hurry` aborts. To be called before `close`, where
   * clients need the time.
   */
  announceStop(hurry?: AbortSignal): Promise<void>;
  /** Drains: accepts nothing new, lets running work end within `server.drainTimeout`, then frees everything. */
  close(): Promise<void>;
}

/** Responses to callbacks are small. */
const callbackLimits = { connections: 16, maxResponseBytes: 64 * 1024 };

/** How long agents may take to accept that their work is cancelled, after everything else has stopped, in milliseconds. */
const stopHandlersMs = 10_000;

/** Loads a config folder and serves it until `close`. Problems of the config or of a port are returned, not thrown. */
export async function startGateway(options: GatewayOptions): Promise<StartedGateway> {
  const { root, log, reloadLimits, pause } = options;
  const loader = new SettledLoader(root, pause);
  const settled = await loader.settle(await loader.look(), {
    onWriting: (file) =>
      log.info({ file }, 'the config files are being written; the start waits until they have settled'),
  });
  const { files, loaded } = settled.look;
  const { sources } = loaded;
  const failed = (problems: readonly Problem[]): StartedGateway => ({ ok: false, problems, sources });
  if (settled.kind === 'unsettled') return failed([settled.problem]);
  if (!loaded.ok) return failed(loaded.problems);
  const { config } = loaded;

  const builder = new SnapshotBuilder(builtinRegistry(), log);
  const built = await builder.build({ ...loaded, files });
  if (!built.ok) return failed(built.problems);
  const streams = new OpenStreams();
  const live = new Live(built.snapshot, () => {
    streams.recheck();
    engine.reconsider();
    alerts.configChanged();
  });
  const node = thisNode();
  const memory = new MemoryBudget(config.server);
  const observed = { node: node.name };
  const commits = publishedCommits(observed);
  const opened = await openEngine(config.engine, { log, memory, node, commits });
  if (!opened.ok) {
    live.close();
    await builder.disposed();
    return failed(opened.problems);
  }
  const { engine, recordings, audit, notes } = opened;

  const outcomes = new OutcomeLog(log, observed);
  const runLog = new RunLog(log, observed);
  const tracer = new Tracer(options.traces?.sampler);
  const traces = options.traces && new Traces(options.traces, { gateway: observed, log, version: node.version });
  const measurements = new Measurements(observed);
  const keyUses = new KeyUses(observed);
  const tail = new RequestTail(observed);
  const revisions = new Revisions({
    ...{ gateway: observed, live, root },
    last: () => reloader.last,
    describe: (commit) => describeCommit(root, commit),
  });
  const history = new History({
    gateway: observed,
    load: () => engine.load(),
    commit: () => live.current.gitCommit,
    describe: (commit) => describeCommit(root, commit),
  });
  const recorder = new Recorder({ recordings, live, log });
  const problems = [...loaded.problems, ...built.warnings];
  const first = { at: Date.now(), revision: config.revision, problems, sources };
  const completions = new Completions();
  const shutdown = new Shutdown();
  const expectations = new Expectations();
  const spending = new Spending(log);
  const requestLimits = new MemoryCounters();
  const guard = new OutboundGuard(() => live.current.config.outboundAllow);
  const client = createOutboundClient(guard, callbackLimits);
  const stopping = new AbortController();
  const clock = options.alertClock ?? Date;
  const alerts = new Alerts({
    gateway: observed,
    live,
    engine,
    notes,
    sources: gatewaySources({
      engine,
      requestLimits,
      reloader: () => reloader,
      config: () => live.current.config,
      mostQueued: await mostQueuedOf(config.engine),
      clock,
    }),
    send: alertSender(client, stopping.signal),
    log,
    clock,
  });
  const surface = new Surface(
    {
      gateway: observed,
      live,
      engine,
      recordings,
      audit,
      trail: new AuditTrail(audit, (err, { id, action }) =>
        log.warn({ err, entry: id, action }, 'the outcome of an admin action could not be stored in the audit trail'),
      ),
      outcomes,
      measurements,
      keyUses,
      tail,
      history,
      revisions,
      review: options.review,
      root,
      traces,
      recorder,
      completions,
      streams,
      shutdown,
      tracer,
      memory,
      decoder: new BodyDecoder(),
      requestLimits,
      expectations,
      log,
      lingering: new Lingering(),
      spending,
      node,
      alerts,
    },
    () => reloader,
    options,
  );
  const reloader: Reloader = new Reloader({
    gateway: observed,
    root,
    loader,
    builder,
    live,
    participant: surface,
    log,
    first,
    limits: reloadLimits,
  });
  const stopHandlers = new StopHandlers();
  const discard = async (problems: readonly Problem[]): Promise<StartedGateway> => {
    await alerts.close();
    await engine.close(0);
    await client.close();
    outcomes.close();
    runLog.close();
    await traces?.close();
    measurements.close();
    keyUses.close();
    tail.close();
    history.close();
    revisions.close();
    live.close();
    await builder.disposed();
    return failed(problems);
  };
  try {
    await engine.start(
      createExecutor({
        gateway: observed,
        live,
        log,
        callbacks: { client, gateway: observed, tracer },
        tracer,
        completions,
        stopHandlers,
        spending,
        expectations,
      }),
    );
  } catch (error) {
    if (!EngineUnavailable.is(error)) throw error;
    // Broken or not, it is known by now.
    const cause = await Promise.race([engine.broken, Promise.resolve(error)]);
    return discard([engineProblem(config.engine, cause)]);
  }

  const prepared = await surface.prepare(config);
  if (prepared.problems.length > 0) {
    await prepared.rollback();
    return discard(prepared.problems);
  }
  prepared.commit();
  alerts.start();

  const watching: ConfigWatch = watchConfig(
    root,
    async () => void (await reloader.reload()),
    (err) => log.warn({ err }, 'file watcher failed; changes are still detected by polling'),
  );
  return {
    ok: true,
    gateway: {
      get address() {
        return surface.publicListener.address;
      },
      get adminAddress() {
        return surface.adminListener.address;
      },
      get revision() {
        return live.current.revision;
      },
      get gitCommit() {
        return live.current.gitCommit;
      },
      get isDirty() {
        return live.current.isDirty;
      },
      reloader,
      metrics: surface.metrics,
      alerts,
      broken: engine.broken,
      warnings: { problems, sources },
      get shutdownDelayMs() {
        return live.current.config.server.shutdownDelayMs;
      },
      announceStop: (hurry) => shutdown.delay(live.current.config.server.shutdownDelayMs, hurry),
      async close() {
        reloader.stop();
        await watching.close();
        stopping.abort();
        await alerts.close();
        await recorder.stop();
        await surface.close(engine, live.current.config.server.drainTimeoutMs);
        await stopHandlers.settled(stopHandlersMs);
        await client.close();
        outcomes.close();
        runLog.close();
        await traces?.close();
        measurements.close();
        keyUses.close();
        tail.close();
        history.close();
        revisions.close();
        live.close();
        await builder.disposed();
      },
    },
  };
}
