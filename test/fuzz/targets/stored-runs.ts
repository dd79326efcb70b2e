import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';

/** About as many runs as one connection can have stored. */
const limit = 20;

/** The runs that a gateway has stored, as its admin listener lists them. */
export class StoredRuns {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #port: number;
  #known: ReadonlySet<string> = new Set();

  constructor(adminPort: number) {
    this.#port = adminPort;
  }

  /** How many were stored since the last call. */
  async countNew(): Promise<number> {
    const ids = new Set(await this.#list());
    const count = [...ids].filter((id) => !this.#known.has(id)).length;
    this.#known = ids;
    return count;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** The ids of the newest. */
  async #list(): Promise<readonly string[]> {
    const body = await new Promise<string>((resolve, reject) => {
      const request = get(`http://127.0.0.1:${this.#port}/runs?limit=${limit}`, { agent: this.#agent });
      request.on('error', reject);
      request.on('response', (response) => resolve(text(response)));
    });
    const { runs }: { readonly runs: readonly { readonly runId: string }[] } = JSON.parse(body);
    return runs.map(({ runId }) => runId);
  }
}
