import { secrets } from '../support/config-folder.ts';

const clients = 8;

/** Free and paying customers that fire triggers as fast as they are answered, until they are stopped. */
export class Customers {
  readonly counts = { requests: 0, freePassed: 0, payingDropped: 0, otherAnswers: 0 };
  readonly #url: string;
  /** Paths of triggers. */
  readonly #triggers: readonly string[];
  #isOver = false;

  constructor(url: string, triggers: readonly string[]) {
    this.#url = url;
    this.#triggers = triggers;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: clients }, (_, index) => this.#client(index)));
  }

  stop(): void {
    this.#isOver = true;
  }

  async #client(start: number): Promise<void> {
    for (let number = start; !this.#isOver; number += clients + 1) {
      const path = this.#triggers[Math.floor(number / 2) % this.#triggers.length];
      await this.#fire(`${this.#url}${path}`, number % 2 === 0 ? 'free' : 'pro');
    }
  }

  async #fire(url: string, plan: 'free' | 'pro'): Promise<void> {
    this.counts.requests += 1;
    const headers = { 'x-api-key': secrets.all, 'content-type': 'application/json' };
    try {
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ plan }) });
      const { code } = Object(await response.json());
      if (response.status === 200 && plan === 'free') this.counts.freePassed += 1;
      else if (code === 'filtered' && plan === 'pro') this.counts.payingDropped += 1;
      else if (response.status !== 200 && code !== 'filtered') this.counts.otherAnswers += 1;
    } catch {
      this.counts.otherAnswers += 1;
    }
  }
}
