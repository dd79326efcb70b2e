import { hash } from 'node:crypto';
import type { ConfigLoader, LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import type { PluginLog } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import type { Live } from './live.ts';
import { changeProblems } from './reload-rules.ts';
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

/** Reloads the config: reads, validates and provisions the files, then swaps one reference. */
export class Reloader {
  readonly #loader: ConfigLoader;
  readonly #builder: SnapshotBuilder;
  readonly #live: Live;
  readonly #participant: ReloadParticipant;
  readonly #log: PluginLog;
  #last: ReloadReport;
  /** A rejected config is tried again, since a missing secret or port may be there by now, but logged only once. */
  #loggedDigest = '';
  #queue: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    readonly loader: ConfigLoader;
    readonly builder: SnapshotBuilder;
    readonly live: Live;
    readonly participant: ReloadParticipant;
    readonly log: PluginLog;
    readonly first: ReloadReport;
  }) {
    this.#loader = parts.loader;
    this.#builder = parts.builder;
    this.#live = parts.live;
    this.#participant = parts.participant;
    this.#log = parts.log;
    this.#last = parts.first;
  }

  get last(): ReloadReport {
    return this.#last;
  }

  /**
   * Loads the files if their content differs from what serves. If anything is wrong, the serving config stays.
   * @param options.always load even if no file changed, e.g. because the value of a secret did
   * @param options.force load even if all triggers or all keys are gone
   */
  reload(options: { always?: boolean; force?: boolean } = {}): Promise<ReloadReport> {
    const attempt = this.#queue.then(() => this.#attempt(options));
    this.#queue = attempt.catch((error) => this.#log.error({ err: error }, 'reload failed unexpectedly'));
    return attempt;
  }

  async #attempt({ always = false, force = false }: { always?: boolean; force?: boolean }): Promise<ReloadReport> {
    const startedAt = performance.now();
    const loaded = await this.#loader.load();
    const serving = this.#live.current;
    if (loaded.revision === serving.revision && !always) {
      if (!this.#last.ok) this.#accepted(loaded, []);
      return this.#last;
    }
    if (!loaded.ok) return this.#rejected(loaded, loaded.problems);

    const rejections = changeProblems(serving.config, loaded.config, force);
    if (rejections.length > 0) return this.#rejected(loaded, rejections);

    const built = await this.#builder.build(loaded);
    if (!built.ok) return this.#rejected(loaded, built.problems);

    const prepared = await this.#participant.prepare(loaded.config);
    if (prepared.problems.length > 0) {
      await prepared.rollback();
      built.snapshot.release();
      return this.#rejected(loaded, prepared.problems);
    }
    this.#live.swap(built.snapshot);
    prepared.commit();
    this.#accepted(loaded, [...loaded.problems, ...built.warnings]);
    this.#log.info(
      {
        revision: loaded.revision,
        gitCommit: built.snapshot.gitCommit,
        durationMs: Math.round(performance.now() - startedAt),
      },
      'config reloaded',
    );
    const warnings = [...loaded.problems, ...built.warnings];
    if (warnings.length > 0) this.#log.warn({ warnings: warnings.map(describe) }, 'the config has warnings');
    return this.#last;
  }

  #accepted(loaded: LoadedConfig, problems: readonly Problem[]): void {
    this.#loggedDigest = '';
    this.#last = { at: Date.now(), ok: true, revision: loaded.revision, problems, sources: loaded.sources };
  }

  #rejected(loaded: LoadedConfig, problems: readonly Problem[]): ReloadReport {
    const digest = hash('sha256', JSON.stringify([loaded.revision, problems]));
    if (digest === this.#loggedDigest) return this.#last;
    this.#loggedDigest = digest;
    this.#last = { at: Date.now(), ok: false, revision: loaded.revision, problems, sources: loaded.sources };
    const serving = this.#live.current.revision;
    this.#log.error(
      { revision: loaded.revision, serving, problems: problems.map(describe) },
      `config reload rejected; still serving revision ${serving}`,
    );
    return this.#last;
  }
}

function describe(problem: Problem): object {
  const { code, message, hint, place } = problem;
  return { code, message, ...(hint !== undefined && { hint }), file: place.file, pointer: place.pointer };
}
