import { join, relative } from 'node:path';
import { channels, type ObservedGateway, type ReloadMessage } from '../contract/index.ts';
import { describeProblems } from '../diagnostics/format-json.ts';
import { locateProblems } from '../diagnostics/located-problem.ts';
import type { Live } from '../runtime/live.ts';
import type { ReloadReport } from '../runtime/reloader.ts';
import type { Snapshot } from '../runtime/snapshot.ts';
import type { RefusedReload, ServedRevision } from './revisions-document.gen.ts';
import { Subscriptions } from './subscriptions.ts';

/** How many revisions and refused reloads are remembered, and how many bytes of the files of earlier revisions. */
const most = { revisions: 20, refused: 50, bytes: 32 * 1024 * 1024, diagnostics: 20 };

/** A revision that served. */
interface Served {
  readonly revision: string;
  gitCommit: string | undefined;
  isDirty: boolean | undefined;
  readonly from: number;
  until: number | undefined;
  by: { readonly author: string; readonly subject: string } | undefined;
  /** The texts of its files by their paths below the config folder; dropped when there are too many. */
  files: ReadonlyMap<string, string> | undefined;
}

export interface RevisionsParts {
  readonly gateway: ObservedGateway;
  readonly live: Live;
  /** The config folder. */
  readonly root: string;
  last(): ReloadReport;
  /** Who made a commit. Never rejects. */
  describe(commit: string): Promise<Served['by']>;
}

/** Which revisions this process has served since it started, with their files, and which it has refused. */
export class Revisions {
  readonly #parts: RevisionsParts;
  readonly #served: Served[] = [];
  readonly #refused: RefusedReload[] = [];
  readonly #subscriptions: Subscriptions;
  #current: Snapshot;

  constructor(parts: RevisionsParts) {
    this.#parts = parts;
    this.#current = parts.live.current;
    this.#add(this.#current);
    this.#subscriptions = new Subscriptions(parts.gateway);
    this.#subscriptions.add(channels.reload, (reload) => this.#reloaded(reload));
  }

  /** The latest first. */
  get served(): readonly ServedRevision[] {
    this.#note();
    return this.#served.toReversed().map(({ revision, gitCommit, isDirty, from, until, by, files }) => ({
      ...{ revision, gitCommit: gitCommit ?? null, dirty: isDirty ?? null, hasFiles: files !== undefined },
      ...{
        servedFrom: new Date(from).toISOString(),
        servedUntil: until === undefined ? null : new Date(until).toISOString(),
      },
      ...(by !== undefined && by),
    }));
  }

  /** The latest first. */
  get refused(): readonly RefusedReload[] {
    return this.#refused.toReversed();
  }

  /** The texts of the files of a revision by their paths below the config folder; undefined if they are not kept. */
  filesOf(revision: string): ReadonlyMap<string, string> | undefined {
    return this.#served.findLast((one) => one.revision === revision)?.files;
  }

  close(): void {
    this.#subscriptions.close();
  }

  #reloaded({ outcome, revision }: ReloadMessage): void {
    const { live } = this.#parts;
    if (outcome === 'accepted') {
      this.#note();
      const last = this.#served.at(-1);
      if (last !== undefined) last.until = Date.now();
      this.#current = live.current;
      this.#add(live.current);
      return;
    }
    if (outcome === 'reverted') return;
    const { problems, sources } = this.#parts.last();
    const diagnostics = describeProblems(locateProblems(problems.slice(0, most.diagnostics), sources));
    this.#refused.push({
      at: new Date().toISOString(),
      outcome,
      revision,
      diagnostics: diagnostics as RefusedReload['diagnostics'],
    });
    if (this.#refused.length > most.refused) this.#refused.shift();
  }

  /** What git says of the revision that serves may have changed. */
  #note(): void {
    const last = this.#served.at(-1);
    const { gitCommit, isDirty } = this.#current;
    if (last === undefined || (last.gitCommit === gitCommit && last.isDirty === isDirty)) return;
    Object.assign(last, { gitCommit, isDirty, by: undefined });
    this.#describe(last);
  }

  #add({ revision, gitCommit, isDirty, sources, loadedAt }: Snapshot): void {
    const { root } = this.#parts;
    const files = new Map([...sources].map(([file, { text }]) => [relative(root, join(file)), text]));
    const served: Served = { revision, gitCommit, isDirty, from: loadedAt, until: undefined, by: undefined, files };
    this.#served.push(served);
    if (this.#served.length > most.revisions) this.#served.shift();
    let bytes = 0;
    for (const one of this.#served.toReversed()) {
      bytes += [...(one.files?.values() ?? [])].reduce((sum, text) => sum + text.length, 0);
      if (bytes > most.bytes) one.files = undefined;
    }
    this.#describe(served);
  }

  #describe(served: Served): void {
    const { gitCommit } = served;
    if (gitCommit === undefined) return;
    void this.#parts.describe(gitCommit).then((by) => {
      served.by = by;
    });
  }
}
