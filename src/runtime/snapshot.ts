import type { Config, TriggerConfig } from '../config/model.ts';
import { foldKey, type TriggerKey, triggerId } from '../config/trigger-key.ts';
import type { Auth, ProjectInfo, TriggerInfo } from '../contract/index.ts';
import { describeLine } from '../diagnostics/describe-place.ts';
import type { Place } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import type { RunPolicy } from '../engine/types/index.ts';
import { partsOf } from '../host/auth-list.ts';
import type { ProvisionedTrigger } from '../host/provision.ts';
import { recordedHeaders } from './recording/recorded-headers.ts';

/** A trigger ready to be fired, with all that a request would otherwise have to look up or build. */
export interface LiveTrigger extends Omit<ProvisionedTrigger, 'config'> {
  readonly config: TriggerConfig;
  readonly project: ProjectInfo;
  readonly trigger: TriggerInfo;
  readonly isActive: boolean;
  /** Dedup claims of different triggers never meet. */
  readonly claimScope: string;
  readonly policy: RunPolicy;
  /** Names in lower case. */
  readonly recordedHeaders: readonly string[];
}

/**
 * One revision of the config, validated and provisioned, immutable. Requests and runs lease it; when it is retired and
 * the last lease ends, its plugin instances are freed.
 */
export class Snapshot {
  readonly config: Config;
  readonly revision: string;
  readonly defaultAuth: Auth;
  /** Names of the request headers by which some trigger's auth verifies bodies, in lower case. */
  readonly signatureHeaders: readonly string[];
  /** When it went live, milliseconds since the epoch. */
  readonly loadedAt: number;
  /** Git commit of the config folder, if it is in a work tree. */
  readonly gitCommit: string | undefined;
  readonly #projects: ReadonlyMap<string, ReadonlyMap<TriggerKey, LiveTrigger>>;
  readonly #dispose: () => void;
  readonly #sources: Sources;
  readonly #lines = new Map<Place, string>();
  #leases = 1;

  constructor(content: {
    readonly config: Config;
    readonly sources: Sources;
    readonly triggers: readonly ProvisionedTrigger[];
    readonly defaultAuth: Auth;
    readonly loadedAt: number;
    readonly gitCommit: string | undefined;
    readonly dispose: () => void;
  }) {
    this.config = content.config;
    this.revision = content.config.revision;
    this.defaultAuth = content.defaultAuth;
    this.signatureHeaders = signatureHeaders([content.defaultAuth, ...content.triggers.map(({ auth }) => auth)]);
    this.loadedAt = content.loadedAt;
    this.gitCommit = content.gitCommit;
    this.#dispose = content.dispose;
    this.#sources = content.sources;
    this.#projects = indexTriggers(content.triggers);
  }

  /** The trigger of that project and key, the key in any case; also when it is paused. */
  find(projectId: string, key: string): LiveTrigger | undefined {
    return this.#projects.get(projectId)?.get(foldKey(key));
  }

  /** A place of the config as `file:line`. */
  lineOf(place: Place): string {
    const known = this.#lines.get(place);
    if (known !== undefined) return known;
    const line = describeLine(place, this.#sources);
    this.#lines.set(place, line);
    return line;
  }

  /** Keeps the snapshot alive until `release`. */
  lease(): void {
    this.#leases += 1;
  }

  /** Ends one lease. The holder of the current snapshot has one too and ends it to retire the snapshot. */
  release(): void {
    this.#leases -= 1;
    if (this.#leases === 0) this.#dispose();
  }

  /** Whether its plugin instances can still be used. */
  get isAlive(): boolean {
    return this.#leases > 0;
  }
}

/** What a trigger wants of the engine besides the execution of its runs. */
export function policyOf({ record, sessionTtlMs, callback }: TriggerConfig): RunPolicy {
  return Object.freeze({ ...record, sessionTtlMs, notify: callback !== undefined });
}

function signatureHeaders(auths: readonly Auth[]): readonly string[] {
  const credentials = auths.flatMap(partsOf).flatMap((part) => part.credentials ?? []);
  const verifying = credentials.filter(({ mayNeedBody }) => mayNeedBody);
  return [...new Set(verifying.flatMap(({ headers }) => headers.map((name) => name.toLowerCase())))];
}

function indexTriggers(triggers: readonly ProvisionedTrigger[]): Map<string, Map<TriggerKey, LiveTrigger>> {
  const projects = new Map<string, Map<TriggerKey, LiveTrigger>>();
  for (const provisioned of triggers) {
    const { project, key, name, status } = provisioned.config;
    const live: LiveTrigger = {
      ...provisioned,
      project: Object.freeze({ id: project.id, name: project.name, language: project.language }),
      trigger: Object.freeze({ key, name }),
      isActive: status === 'active',
      claimScope: triggerId(project.id, key),
      policy: policyOf(provisioned.config),
      recordedHeaders: recordedHeaders(provisioned),
    };
    const keys = projects.get(project.id) ?? new Map<TriggerKey, LiveTrigger>();
    keys.set(foldKey(key), Object.freeze(live));
    projects.set(project.id, keys);
  }
  return projects;
}
