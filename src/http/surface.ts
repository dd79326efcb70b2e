import { randomUUID } from 'node:crypto';
import type { Config } from '../config/model.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { Engine } from '../engine/types/index.ts';
import { resolveSecret } from '../host/secrets.ts';
import type { Measured } from '../observe/metric-catalogue.ts';
import { type Metrics, metricsOf } from '../observe/metrics.ts';
import type { MemoryBudget } from '../runtime/memory/memory-budget.ts';
import type { Reloader, ReloadParticipant } from '../runtime/reloader.ts';
import { AdminAccess } from './admin-access.ts';
import { type AdminServerParts, createAdminServer } from './admin-server.ts';
import type { Services } from './call.ts';
import { Listener, type ListenerConfig, onSocket, type PreparedListener } from './listener.ts';
import { createPublicServer } from './public-server.ts';
import { Readiness } from './readiness.ts';
import type { Shutdown } from './shutdown.ts';

/** How long replies may take to be sent after the runs they waited for have ended, in milliseconds. */
const lastAnswersMs = 1000;

/** Of a listener that is open before its config is: with a token that nobody has. */
const closedAccess = new AdminAccess({ tokens: [], hosts: [], host: '127.0.0.1' }, randomUUID());

export interface SurfaceOptions {
  /** Called with each config from which new requests are served. */
  readonly onConfig?: (config: Config) => void;
  /** Where the admin listener listens instead of its address: the path of a socket. */
  readonly adminSocket?: string | undefined;
}

/** The two listeners as one participant of a reload: both are ready for the next config, or neither changes. */
export class Surface implements ReloadParticipant {
  readonly publicListener: Listener;
  readonly adminListener: Listener;
  readonly metrics: Metrics;
  readonly #memory: MemoryBudget;
  readonly #shutdown: Shutdown;
  readonly #options: SurfaceOptions;
  /** Nobody is let in before the first config is committed. */
  #access: AdminAccess | undefined;
  #isReady = false;

  constructor(
    parts: Services &
      Pick<
        AdminServerParts,
        | 'recordings'
        | 'audit'
        | 'trail'
        | 'lingering'
        | 'spending'
        | 'node'
        | 'alerts'
        | 'keyUses'
        | 'review'
        | 'root'
        | 'tail'
        | 'history'
        | 'revisions'
      > &
      Pick<Measured, 'outcomes' | 'measurements' | 'traces'>,
    reloader: () => Reloader,
    options: SurfaceOptions,
  ) {
    this.#memory = parts.memory;
    this.#shutdown = parts.shutdown;
    this.#options = options;
    this.metrics = metricsOf({ ...parts, reloader });
    this.publicListener = new Listener(() => createPublicServer(parts, parts.lingering));
    const readiness = new Readiness(parts.engine, parts.log, () => this.#isReady && !parts.shutdown.isAnnounced);
    const { metrics } = this;
    const { adminSocket } = options;
    const access = () => this.#access ?? closedAccess;
    const isBehindPrimary = adminSocket !== undefined;
    const createAdmin = () => createAdminServer({ ...parts, reloader, access, isBehindPrimary, readiness, metrics });
    this.adminListener = new Listener(
      adminSocket === undefined ? createAdmin : () => onSocket(createAdmin(), adminSocket),
    );
  }

  async prepare(config: Config): ReturnType<ReloadParticipant['prepare']> {
    const { server, admin } = config;
    const problems: Problem[] = [];
    const listeners: Extract<PreparedListener, { ok: true }>[] = [];
    for (const prepared of [
      await this.publicListener.prepare(server),
      await this.adminListener.prepare(this.#adminPlace(admin)),
    ]) {
      if (prepared.ok) listeners.push(prepared);
      else problems.push(prepared.problem);
    }
    const token = admin.token && (await resolveSecret(admin.token, admin.folder));
    if (token?.ok === false) {
      const place = { ...admin.place, pointer: `${admin.place.pointer}/token` };
      problems.push({ code: 'missing_secret', severity: 'error', message: token.message, place });
    }
    return {
      problems,
      commit: () => {
        for (const listener of listeners) listener.commit();
        this.publicListener.limitRequests(server.requestTimeoutMs);
        this.#memory.setLimits(server);
        this.#access = new AdminAccess(admin, token?.ok ? token.value : undefined);
        this.#isReady = true;
        this.#options.onConfig?.(config);
      },
      rollback: async () => {
        for (const listener of listeners) await listener.rollback();
      },
    };
  }

  /** A socket stays, whatever address the config names. */
  #adminPlace(admin: ListenerConfig): ListenerConfig {
    const { adminSocket } = this.#options;
    return adminSocket === undefined ? admin : { host: adminSocket, port: 0, place: admin.place };
  }

  /** The admin listener closes last, so that a probe can see the gateway stopping. */
  async close(engine: Engine, drainMs: number): Promise<void> {
    this.#shutdown.announce();
    const answered = this.publicListener.close();
    await engine.close(drainMs);
    const cutting = setTimeout(() => this.publicListener.cut(), lastAnswersMs);
    await answered;
    clearTimeout(cutting);
    await this.adminListener.close();
  }
}
