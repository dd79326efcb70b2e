import { hash } from 'node:crypto';
import type { ConfigLoader, LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import type { PluginLog } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import { EarlyRevocations } from './early-revocations.ts';
import type { Live } from './live.ts';
import type { KeyRevocation } from './narrow-keys.ts';
import { ReloadAttempt, type ReloadLimits, reloadLimits } from './reload-attempt.ts';
import { changeProblems } from './reload-rules.ts';
import type { Snapshot } from './snapshot.ts';
import type { SnapshotBuilder } from './snapshot-builder.ts';

/** The result of the last attempt to load the config files. */
export interface ReloadReport {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ok: boolean;
  /** Content hash of the files that were loaded; with `ok`, the revision that serves. */
  readonly revision: string;
  readonly problems: readonly Problem[];
  readonly sources: Sources;
}

/** What else must be ready before a config goes live, e.g. a listener on a new port. */
export interface ReloadParticipant {
  /** Prepares for the next config, or returns what is wrong. Nothing that it starts is used before `commit`. */
  prepare(next: Config): Promise<{ problems: readonly Problem[]; commit(): void; rollback(): Promise<void> }>;
}

export interface ReloaderParts {
  /** The config folder, as the user gave it. */
  readonly root: string;
  readonly loader: ConfigLoader;
  readonly builder: SnapshotBuilder;
  readonly live: Live;
  readonly participant: ReloadParticipant;
  readonly log: PluginLog;
  readonly first: ReloadReport;
  readonly limits?: ReloadLimits | undefined;
}

interface ReloadOptions {
  readonly always?: boolean;
  readonly force?: boolean;
}

/** How many attempts that were given up may still be running: each holds what it has built. */
const mostHanging = 8;

/** Reloads the config: reads, validates and provisions the files, then swaps one reference. */
export class Reloader {
  readonly #parts: ReloaderParts;
  readonly #revocations: EarlyRevocations;
  readonly #counts = { accepted: 0, rejected: 0, abandoned: 0 };
  #last: ReloadReport;
  /** A rejected config is tried again, since a missing secret or port may be there by now, but logged only once. */
  #loggedDigest = '';
  #running: ReloadAttempt | undefined;
  /** Those that were given up and have not ended. */
  readonly #hanging = new Set<ReloadAttempt>();
  #queue: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
    this.#last = parts.first;
    this.#revocations = new EarlyRevocations(parts.live, parts.log);
  }

  get last(): ReloadReport {
    return this.#last;
  }

  /** The attempt that is going on. */
  get running(): ReloadAttempt | undefined {
    return this.#running;
  }

  /** How many reloads had which outcome. A rejected config that is tried again and again counts once. */
  get counts(): Readonly<Record<'accepted' | 'rejected' | 'abandoned', number>> {
    return this.#counts;
  }

  /** What API keys have lost although the config that takes it from them is refused. */
  get revocations(): readonly KeyRevocation[] {
    return this.#revocations.current;
  }

  /**
   * Loads the files if their content differs from what serves. If anything is wrong, the serving config stays. Resolves
   * within the deadline of a reload.
   * @param options.always load even if no file changed, e.g. because the value of a secret did
   * @param options.force load even if all triggers or all keys are gone
   */
  reload(options: ReloadOptions = {}): Promise<ReloadReport> {
    const attempt = this.#queue.then(() => this.#tryWithin(options));
    this.#queue = attempt.catch((error) => this.#parts.log.error({ err: error }, 'reload failed unexpectedly'));
    return attempt;
  }

  /** Gives up what is going on, and loads nothing from now on. */
  stop(): void {
    this.#isStopped = true;
    this.#running?.giveUp();
  }

  async #tryWithin(options: ReloadOptions): Promise<ReloadReport> {
    if (this.#isStopped) return this.#last;
    const attempt = new ReloadAttempt();
    this.#running = attempt;
    const work = this.#attempt(options, attempt);
    try {
      const report = await attempt.within(work, this.#parts.limits ?? reloadLimits, () => this.#reportSlow(attempt));
      return report === 'given up' ? this.#givenUp(attempt, work) : report;
    } finally {
      this.#running = undefined;
    }
  }

  async #attempt({ always = false, force = false }: ReloadOptions, attempt: ReloadAttempt): Promise<ReloadReport> {
    const { loader, builder, live, participant, log } = this.#parts;
    const loaded = await loader.load();
    if (attempt.isGivenUp) return this.#last;
    attempt.loaded = loaded;
    if (attempt.isSlow) void this.#revocations.apply(loaded.apiKeys);
    const serving = live.current;
    if (loaded.revision === serving.revision && !always) {
      if (loaded.ok) this.#revocations.lift();
      if (!this.#last.ok) this.#accepted(loaded, []);
      return this.#last;
    }
    if (!loaded.ok) return this.#rejected(loaded, loaded.problems);

    const rejections = [
      ...changeProblems(serving.config, loaded.config, force),
      ...this.#hangingProblems(loaded, always),
    ];
    if (rejections.length > 0) return this.#rejected(loaded, rejections);

    attempt.phase = 'creating plugin instances';
    const built = await builder.build(loaded);
    if (!built.ok) return attempt.isGivenUp ? this.#last : this.#rejected(loaded, built.problems);
    if (attempt.isGivenUp) return this.#release(built.snapshot);

    attempt.phase = 'opening the listeners';
    const prepared = await participant.prepare(loaded.config);
    if (attempt.isGivenUp || prepared.problems.length > 0) {
      this.#release(built.snapshot);
      await prepared.rollback();
      return attempt.isGivenUp ? this.#last : this.#rejected(loaded, prepared.problems);
    }
    live.swap(built.snapshot);
    prepared.commit();
    const warnings = [...loaded.problems, ...built.warnings];
    this.#accepted(loaded, warnings);
    const { gitCommit } = built.snapshot;
    log.info({ revision: loaded.revision, gitCommit, durationMs: attempt.durationMs }, 'config reloaded');
    if (warnings.length > 0) log.warn({ warnings: warnings.map(describe) }, 'the config has warnings');
    return this.#last;
  }

  #release(snapshot: Snapshot): ReloadReport {
    snapshot.release();
    return this.#last;
  }

  /** What hangs is not tried again, with the same files, at every look at them. */
  #hangingProblems({ revision }: LoadedConfig, always: boolean): readonly Problem[] {
    const isHanging = [...this.#hanging].some(({ loaded }) => loaded?.revision === revision);
    if (this.#hanging.size < mostHanging && (always || !isHanging)) return [];
    const message = isHanging
      ? 'an earlier reload of the same files was given up and still hangs'
      : `${this.#hanging.size} earlier reloads were given up and still hang`;
    const hint = 'Find the plugin that does not finish its `create` or a closer, or restart the gateway.';
    return [{ code: 'reload_timed_out', severity: 'error', message, hint, place: this.#root }];
  }

  #reportSlow(attempt: ReloadAttempt): void {
    const { phase, durationMs, loaded } = attempt;
    this.#parts.log.warn({ phase, durationMs }, `the config reload takes long: still ${phase}`);
    if (loaded !== undefined) void this.#revocations.apply(loaded.apiKeys);
  }

  #givenUp(attempt: ReloadAttempt, work: Promise<unknown>): ReloadReport {
    const { phase, loaded } = attempt;
    const { log, live } = this.#parts;
    this.#hanging.add(attempt);
    void work
      .then(() => log.info({ durationMs: attempt.durationMs }, 'a config reload that was given up has ended'))
      .catch((err) => log.error({ err }, 'a config reload that was given up has failed'))
      .finally(() => this.#hanging.delete(attempt));
    if (this.#isStopped) return this.#last;
    this.#counts.abandoned += 1;
    const message = `the reload was given up after ${attempt.durationMs / 1000}s, while ${phase}`;
    const problem: Problem = { code: 'reload_timed_out', severity: 'error', message, place: this.#root };
    this.#loggedDigest = '';
    this.#refuse({ revision: loaded?.revision ?? live.current.revision, sources: loaded?.sources ?? new Map() }, [
      problem,
    ]);
    return this.#last;
  }

  get #root(): Problem['place'] {
    return { file: this.#parts.root, pointer: '' };
  }

  #accepted({ revision, sources }: LoadedConfig, problems: readonly Problem[]): void {
    this.#counts.accepted += 1;
    this.#loggedDigest = '';
    this.#last = { at: Date.now(), ok: true, revision, problems, sources };
  }

  async #rejected(loaded: LoadedConfig, problems: readonly Problem[]): Promise<ReloadReport> {
    const digest = hash('sha256', JSON.stringify([loaded.revision, problems]));
    if (digest !== this.#loggedDigest) {
      this.#loggedDigest = digest;
      this.#counts.rejected += 1;
      this.#refuse(loaded, problems);
    }
    await this.#revocations.apply(loaded.apiKeys);
    return this.#last;
  }

  #refuse({ revision, sources }: Pick<LoadedConfig, 'revision' | 'sources'>, problems: readonly Problem[]): void {
    this.#last = { at: Date.now(), ok: false, revision, problems, sources };
    const serving = this.#parts.live.current.revision;
    this.#parts.log.error(
      { revision, serving, problems: problems.map(describe) },
      `config reload rejected; still serving revision ${serving}`,
    );
  }
}

function describe(problem: Problem): object {
  const { code, message, hint, place } = problem;
  return { code, message, ...(hint !== undefined && { hint }), file: place.file, pointer: place.pointer };
}
