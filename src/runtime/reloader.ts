import { hash } from 'node:crypto';
import type { LoadedConfig, Look } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import { channels, type ObservedGateway, type PluginLog } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import { CommitWatch } from './commit-watch.ts';
import { EarlyRevocations } from './early-revocations.ts';
import { gitStateOf } from './git-state.ts';
import type { Live } from './live.ts';
import type { KeyRevocation } from './narrow-keys.ts';
import { ReloadAttempt, type ReloadLimits, reloadLimits } from './reload-attempt.ts';
import { changeProblems } from './reload-rules.ts';
import type { SettledLoader } from './settled-loader.ts';
import type { Snapshot } from './snapshot.ts';
import type { SnapshotBuilder } from './snapshot-builder.ts';

/**
 * What became of the last attempt to load the config files. `reverted`: the files that were refused before are those of
 * the serving revision again.
 */
type ReloadOutcome = 'accepted' | 'reverted' | 'rejected' | 'abandoned';

export interface ReloadReport {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Whether the files, as they were found, serve. */
  readonly ok: boolean;
  readonly outcome: ReloadOutcome;
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
  /** As its messages name it. */
  readonly gateway: ObservedGateway;
  /** The config folder, as the user gave it. */
  readonly root: string;
  readonly loader: SettledLoader;
  readonly builder: SnapshotBuilder;
  readonly live: Live;
  readonly participant: ReloadParticipant;
  readonly log: PluginLog;
  readonly first: Omit<ReloadReport, 'ok' | 'outcome'>;
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
  readonly #commits: CommitWatch;
  readonly #counts = { accepted: 0, reverted: 0, rejected: 0, abandoned: 0 };
  #last: ReloadReport;
  /** When the files were refused that are there; undefined: what is there serves. */
  #refusedSince: number | undefined;
  /** Of what serves. */
  #lastAccepted: ReloadReport;
  /** A rejected config is tried again, since a missing secret or port may be there by now, but logged only once. */
  #loggedDigest = '';
  #running: ReloadAttempt | undefined;
  /** Those that were given up and have not ended. */
  readonly #hanging = new Set<ReloadAttempt>();
  #queue: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
    this.#lastAccepted = { ...parts.first, ok: true, outcome: 'accepted' };
    this.#last = this.#lastAccepted;
    this.#revocations = new EarlyRevocations(parts.live, parts.log);
    this.#commits = new CommitWatch(parts.root);
  }

  get last(): ReloadReport {
    return this.#last;
  }

  /** Since when the files on disk are refused, milliseconds since the epoch; undefined: they serve. */
  get refusedSince(): number | undefined {
    return this.#refusedSince;
  }

  /** The attempt that is going on. */
  get running(): ReloadAttempt | undefined {
    return this.#running;
  }

  /** How many reloads had which outcome. A rejected config that is tried again and again counts once. */
  get counts(): Readonly<Record<ReloadOutcome, number>> {
    return this.#counts;
  }

  /** What API keys have lost although the config that takes it from them does not serve yet. */
  get revocations(): readonly KeyRevocation[] {
    return this.#revocations.current;
  }

  /**
   * Loads the files if their content differs from what serves, once nobody writes them any more. If anything is wrong, the
   * serving config stays. Resolves within the deadline of a reload.
   * @param options.always load even if no file changed, e.g. because the value of a secret did
   * @param options.force load even if all triggers or all keys are gone, or git holds its lock
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
    const first = await loader.look();
    if (attempt.isGivenUp) return this.#last;
    this.#seen(first, attempt);
    const isUnchanged = ({ loaded }: Look) => loaded.revision === live.current.revision && !always;
    // Whatever somebody is writing there: what serves was whole.
    if (isUnchanged(first)) {
      await this.#followCommits(first);
      return this.#unchanged(first.loaded);
    }
    const settling = await this.#settle(first, attempt, force);
    if (settling.kind === 'aborted') return this.#last;
    const { files, loaded } = settling.look;
    if (isUnchanged(settling.look)) return this.#unchanged(loaded);
    if (settling.kind === 'unsettled') return this.#refuseOnce(loaded, [settling.problem]);
    if (attempt.isSlow) void this.#revocations.apply(loaded.apiKeys);
    if (!loaded.ok) return this.#rejected(loaded, loaded.problems);

    const serving = live.current;
    const rejections = [
      ...changeProblems(serving.config, loaded.config, force),
      ...this.#hangingProblems(loaded, always),
    ];
    if (rejections.length > 0) return this.#rejected(loaded, rejections);

    attempt.phase = 'creating plugin instances';
    const built = await builder.build({ ...loaded, files });
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
    const { gitCommit, isDirty: dirty } = built.snapshot;
    const { durationMs, settledMs } = attempt;
    log.info({ revision: loaded.revision, gitCommit, dirty, durationMs, settledMs }, 'config reloaded');
    this.#endRefusal(loaded.revision, 'the config is accepted again; nothing is refused any more');
    if (warnings.length > 0) log.warn({ warnings: warnings.map(describe) }, 'the config has warnings');
    return this.#last;
  }

  async #settle(first: Look, attempt: ReloadAttempt, force: boolean): ReturnType<SettledLoader['settle']> {
    attempt.phase = 'waiting until nobody writes the files';
    const startedAt = performance.now();
    const settling = await this.#parts.loader.settle(first, {
      signal: attempt.signal,
      ignoreLock: force,
      onLook: (look) => this.#seen(look, attempt),
      onWriting: (file) =>
        this.#parts.log.info({ file }, 'the config files are being written; the reload waits until they have settled'),
    });
    if (settling.kind === 'settled') attempt.settledMs = Math.round(performance.now() - startedAt);
    return settling;
  }

  /** What a look at the files takes away applies at once: waiting would only keep a stolen key alive. */
  #seen({ loaded }: Look, attempt: ReloadAttempt): void {
    attempt.loaded = loaded;
    void this.#revocations.applyUnsettled(loaded.apiKeys);
  }

  /** The files that serve may have been committed, or be those of another commit that was checked out. */
  async #followCommits({ files }: Look): Promise<void> {
    const { live, log } = this.#parts;
    const { current } = live;
    if (current.isDirty === undefined || !(await this.#commits.hasMoved())) return;
    const git = await gitStateOf(files);
    if (git.commit === current.gitCommit && git.isDirty === current.isDirty) return;
    current.git = git;
    const { revision, gitCommit, isDirty: dirty } = current;
    log.info({ revision, gitCommit, dirty }, 'the commit of the serving config has changed');
  }

  /** The files are those that serve. */
  #unchanged({ ok, revision }: LoadedConfig): ReloadReport {
    if (ok) this.#revocations.lift();
    if (this.#last.ok) return this.#last;
    this.#counts.reverted += 1;
    this.#loggedDigest = '';
    this.#last = { ...this.#lastAccepted, at: Date.now(), outcome: 'reverted' };
    this.#publish();
    this.#endRefusal(revision, 'the files are those of the serving revision again; nothing is refused any more');
    return this.#last;
  }

  /** Says once that nothing is refused any longer, and after how long. */
  #endRefusal(revision: string, message: string): void {
    if (this.#refusedSince === undefined) return;
    const refusedMs = Date.now() - this.#refusedSince;
    const refusedSince = new Date(this.#refusedSince).toISOString();
    this.#refusedSince = undefined;
    const { gitCommit, isDirty: dirty } = this.#parts.live.current;
    this.#parts.log.info({ revision, gitCommit, dirty, refusedSince, refusedMs }, message);
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
    const { phase, durationMs, loaded, settledMs } = attempt;
    this.#parts.log.warn({ phase, durationMs }, `the config reload takes long: still ${phase}`);
    if (loaded !== undefined && settledMs !== undefined) void this.#revocations.apply(loaded.apiKeys);
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
    const message = `the reload was given up after ${attempt.durationMs / 1000}s, while ${phase}`;
    const problem: Problem = { code: 'reload_timed_out', severity: 'error', message, place: this.#root };
    this.#loggedDigest = '';
    const tried = { revision: loaded?.revision ?? live.current.revision, sources: loaded?.sources ?? new Map() };
    this.#refuse('abandoned', tried, [problem]);
    return this.#last;
  }

  get #root(): Problem['place'] {
    return { file: this.#parts.root, pointer: '' };
  }

  #accepted({ revision, sources }: LoadedConfig, problems: readonly Problem[]): void {
    this.#counts.accepted += 1;
    this.#loggedDigest = '';
    this.#lastAccepted = { at: Date.now(), ok: true, outcome: 'accepted', revision, problems, sources };
    this.#last = this.#lastAccepted;
    this.#publish();
  }

  async #rejected(loaded: LoadedConfig, problems: readonly Problem[]): Promise<ReloadReport> {
    this.#refuseOnce(loaded, problems);
    await this.#revocations.apply(loaded.apiKeys);
    return this.#last;
  }

  /** Reports a config that is tried again and again only once. */
  #refuseOnce(loaded: LoadedConfig, problems: readonly Problem[]): ReloadReport {
    const digest = hash('sha256', JSON.stringify([loaded.revision, problems]));
    if (digest !== this.#loggedDigest) {
      this.#loggedDigest = digest;
      this.#refuse('rejected', loaded, problems);
    }
    return this.#last;
  }

  #refuse(
    outcome: 'rejected' | 'abandoned',
    { revision, sources }: Pick<LoadedConfig, 'revision' | 'sources'>,
    problems: readonly Problem[],
  ): void {
    this.#counts[outcome] += 1;
    this.#refusedSince ??= Date.now();
    this.#last = { at: Date.now(), ok: false, outcome, revision, problems, sources };
    this.#publish();
    const serving = this.#parts.live.current.revision;
    this.#parts.log.error(
      { revision, serving, problems: problems.map(describe) },
      `config reload rejected; still serving revision ${serving}`,
    );
  }

  /** Publishes how the attempt that is going on has ended: once, however often the same files are refused. */
  #publish(): void {
    const { gateway, live } = this.#parts;
    const { outcome, revision } = this.#last;
    const durationMs = this.#running?.durationMs ?? 0;
    channels.reload.publish({ gateway, outcome, revision, serving: live.current.revision, durationMs });
  }
}

function describe(problem: Problem): object {
  const { code, message, hint, place } = problem;
  return { code, message, ...(hint !== undefined && { hint }), file: place.file, pointer: place.pointer };
}
