import type { RecordedRequest } from '../engine/types/index.ts';
import type { LoadedSources } from '../runtime/snapshot-builder.ts';
import { explainRequest } from './explain.ts';
import { formatExplanationJson } from './explanation-json.ts';
import { type OpenConfig, openLoaded } from './open-config.ts';
import { planInThread } from './plan-in-thread.ts';
import type { PlannedTexts, TextState } from './plan-of-texts.ts';
import { triableRequest } from './recorded-requests.ts';
import { Rehearsal, type RehearsedRequest } from './rehearsal.ts';
import { smallestChange } from './smallest-change.ts';
import { type FilterTrial, type TriedFilter, tryFilter } from './try-filter.ts';

/** How long a config stays provisioned after its last use, in milliseconds: operators ask several times. */
const keptMs = 60_000;

/** Dry runs on the config that serves: it is provisioned once more for them, without agents, and freed when nobody asks. */
export class LiveReview {
  #kept: { readonly config: unknown; readonly opened: Promise<OpenConfig> } | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** As `Review` of the admin listener. */
  async explain(
    served: LoadedSources,
    request: Omit<RehearsedRequest, 'receivedAt' | 'ip'> | RecordedRequest,
  ): Promise<string> {
    const { snapshot, sources } = await this.#open(served);
    const tried = isRecorded(request)
      ? triableRequest({ ...request, ...request.details })
      : { ...request, receivedAt: Date.now(), ip: '127.0.0.1' };
    // It may be freed meanwhile, by a reload.
    snapshot.lease();
    try {
      const explanation = await explainRequest(new Rehearsal(snapshot), tried);
      const change = await smallestChange(explanation, (edited) => explainRequest(new Rehearsal(snapshot), edited));
      return formatExplanationJson(explanation, sources, change);
    } finally {
      snapshot.release();
    }
  }

  /** As `Review` of the admin listener. */
  tryFilter(served: LoadedSources, trial: FilterTrial): Promise<TriedFilter> {
    return tryFilter(served, trial);
  }

  /** As `Review` of the admin listener. */
  plan(base: TextState, head: TextState, requests: readonly RecordedRequest[]): Promise<PlannedTexts> {
    return planInThread(base, head, requests);
  }

  #open(served: LoadedSources): Promise<OpenConfig> {
    if (this.#kept?.config !== served.config) {
      this.#free();
      this.#kept = { config: served.config, opened: opened(served) };
      // It is tried again the next time.
      this.#kept.opened.catch(() => this.#free());
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#free(), keptMs).unref();
    return this.#kept.opened;
  }

  #free(): void {
    const kept = this.#kept;
    this.#kept = undefined;
    void kept?.opened.then((config) => config.close()).catch(() => {});
  }
}

async function opened(served: LoadedSources): Promise<OpenConfig> {
  const found = await openLoaded(served);
  if (found.ok) return found;
  throw new Error(found.problems[0]?.message ?? 'the config cannot be provisioned for a review');
}

function isRecorded(request: object): request is RecordedRequest {
  return 'verdict' in request;
}
