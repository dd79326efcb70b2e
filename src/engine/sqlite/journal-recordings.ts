import type { Clock } from '../execution/timers.ts';
import {
  EngineUnavailable,
  type NewRecording,
  type RecordedRequest,
  type RecordingBounds,
  type RecordingQuery,
  type Recordings,
} from '../types/index.ts';
import type { JournalClient } from './journal-client.ts';

/** How long recorded requests may wait to share a commit, in milliseconds: a sample is not worth one of its own. */
const recordDelayMs = 200;

/** The recorded requests of a journal. */
export class JournalRecordings implements Recordings {
  readonly #client: JournalClient;
  readonly #clock: Clock;

  constructor(client: JournalClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async record(recordings: readonly NewRecording[], bounds: RecordingBounds): Promise<void> {
    const now = this.#clock.now();
    const hasRoom = await this.#client.askWithin(recordDelayMs, 'recordings', 'record', recordings, bounds, now);
    if (!hasRoom) throw new EngineUnavailable('the journal has no room left for recorded requests');
  }

  async get(id: string): Promise<RecordedRequest | undefined> {
    return this.#client.ask('recordings', 'get', id, this.#clock.now());
  }

  async list(query: RecordingQuery): Promise<readonly RecordedRequest[]> {
    return this.#client.ask('recordings', 'list', query, this.#clock.now());
  }
}
