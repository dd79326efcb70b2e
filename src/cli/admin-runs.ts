import type { JsonObject } from '../contract/index.ts';
import type { CancelledRun, ListedRuns, RunFilter } from '../runtime/run-operations.ts';
import type { ReplayedRun, ReplayOptions } from '../runtime/run-replays.ts';
import type { RunsAccess } from './access.ts';
import { type AdminClient, listIn, queryOf } from './admin-client.ts';

/** The runs of a running gateway, through its admin listener. */
export class AdminRuns implements RunsAccess {
  readonly #client: AdminClient;

  constructor(client: AdminClient) {
    this.#client = client;
  }

  async list(filter: RunFilter): Promise<ListedRuns> {
    const { status, body } = await this.#client.ask('GET', `/runs${queryOf(filter)}`);
    if (status === 400) return { ok: false, message: String(body.detail) };
    return { ok: true, runs: listIn(body, 'runs', this.#client), next: body.next ?? undefined };
  }

  async show(id: string): Promise<JsonObject | undefined> {
    const { status, body } = await this.#client.ask('GET', `/runs/${encodeURIComponent(id)}`);
    return status === 404 ? undefined : body;
  }

  async cancel(id: string): Promise<CancelledRun> {
    const { status, body } = await this.#client.ask('POST', `/runs/${encodeURIComponent(id)}/cancel`);
    if (status === 404) return { kind: 'not_found' };
    if (status !== 200) return { kind: 'unavailable', reason: reasonOf(body, status) };
    return { kind: body.cancelled ? 'cancelled' : 'already_final', run: body.run };
  }

  async replay(id: string, { once = false }: ReplayOptions = {}): Promise<ReplayedRun> {
    const query = once ? '?once=true' : '';
    const { status, body } = await this.#client.ask('POST', `/runs/${encodeURIComponent(id)}/replay${query}`);
    if (status === 202) return { kind: 'accepted', run: body };
    if (status === 200) return { kind: 'replayed_already', runId: String(body.alreadyReplayedAs) };
    switch (body.code) {
      case 'run_not_found':
        return { kind: 'not_found' };
      case 'trigger_not_found':
      case 'not_replayable':
        return { kind: body.code };
      default:
        return { kind: 'unavailable', reason: reasonOf(body, status) };
    }
  }
}

function reasonOf({ detail, title }: JsonObject, status: number): string {
  return `${status} ${detail ?? title ?? ''}`.trim();
}
