import type { Clock } from '../execution/timers.ts';
import type { Audit, AuditBounds, AuditEntry, AuditQuery } from '../types/index.ts';
import type { JournalClient } from './journal-client.ts';

/** The audit trail of a journal. */
export class JournalAudit implements Audit {
  readonly #client: JournalClient;
  readonly #clock: Clock;

  constructor(client: JournalClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async put(entry: AuditEntry, bounds: AuditBounds): Promise<void> {
    await this.#client.ask('audit', 'put', entry, bounds, this.#clock.now());
  }

  async get(id: string): Promise<AuditEntry | undefined> {
    return this.#client.ask('audit', 'get', id);
  }

  async list(query: AuditQuery): Promise<readonly AuditEntry[]> {
    return this.#client.ask('audit', 'list', query);
  }
}
