import { hash } from 'node:crypto';
import type { ConfigLoader, LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import type { PluginLog } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import type { Live } from './live.ts';
import { changeProblems } from './reload-rules.ts';
import type { SnapshotBuilder } from './snapshot-builder.ts';

/** What came of the last attempt to load the files as they were then. */
export interface ReloadReport {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ok: boolean;
  /** Content hash of the files that were tried; it is what serves if `ok`. */
  readonly revision: string;
  readonly problems: readonly Problem[];
  readonly sources: Sources;
}

/** What else must be ready before a config goes live, e.g. a listener on a new port. */
export interface ReloadParticipant {
  /** Gets ready for the next config, or says why not. Whatever it started stays unused until `commit`. */
  prepare(next: Config): Promise<{ problems: readonly Problem[]; commit(): void; rollback(): Promise<void> }>;
}

/** Brings the config files' content to life: reads, validates, provisions, then swaps one reference. */
export class Reloader {
  readonly #loader: ConfigLoader;
  readonly #builder: SnapshotBuilder;
  readonly #live: Live;
  readonly #participant: ReloadParticipant;
  readonly #log: PluginLog;
  #last: ReloadReport;
  /** Files that were refused are tried again, since a secret or a port may be there by now, but told of only once. */
  #toldDigest = '';
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
   * Looks at the files and loads them if their content is not what serves. Anything wrong: what serves goes on.
   * @param options.always load even if nothing changed, e.g. since a secret's value did
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
      if (!this.#last.ok) this.#told(loaded, []);
      return this.#last;
    }
    if (!loaded.ok) return this.#refused(loaded, loaded.problems);

    const refusals = changeProblems(serving.config, loaded.config, force);
    if (refusals.length > 0) return this.#refused(loaded, refusals);

    const built = await this.#builder.build(loaded);
    if (!built.ok) return this.#refused(loaded, built.problems);

    const prepared = await this.#participant.prepare(loaded.config);
    if (prepared.problems.length > 0) {
      await prepared.rollback();
      built.snapshot.release();
      return this.#refused(loaded, prepared.problems);
    }
    this.#live.swap(built.snapshot);
    prepared.commit();
    this.#told(loaded, [...loaded.problems, ...built.warnings]);
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

  #told(loaded: LoadedConfig, problems: readonly Problem[]): void {
    this.#toldDigest = '';
    this.#last = { at: Date.now(), ok: true, revision: loaded.revision, problems, sources: loaded.sources };
  }

  #refused(loaded: LoadedConfig, problems: readonly Problem[]): ReloadReport {
    const digest = hash('sha256', JSON.stringify([loaded.revision, problems]));
    if (digest === this.#toldDigest) return this.#last;
    this.#toldDigest = digest;
    this.#last = { at: Date.now(), ok: false, revision: loaded.revision, problems, sources: loaded.sources };
    this.#log.error(
      { revision: loaded.revision, serving: this.#live.current.revision, problems: problems.map(describe) },
      'config refused: what served before serves on',
    );
    return this.#last;
  }
}

function describe(problem: Problem): object {
  const { code, message, hint, place } = problem;
  return { code, message, ...(hint !== undefined && { hint }), file: place.file, pointer: place.pointer };
}
