import { setTimeout as sleep } from 'node:timers/promises';
import { secrets } from '../support/config-folder.ts';
import type { ChaosNode } from './chaos-node.ts';
import type { Acknowledgement, FinalRun } from './history.ts';

/** How long a caller waits for an answer: longer than one takes, shorter than the pauses of nodes, so that most of its time is load. */
const answerWithinMs = 3000;
/** The pause of a caller that was not answered, at first and at most, in milliseconds: none keeps overloaded what recovers. */
const backoffMs = { first: 100, most: 2000 };
/** The triggers of the config, and how many callers fire each. Those of `session` each have a session of their own. */
const callersOf = { plain: 50, session: 14, narrow: 4, limited: 1, once: 20 } as const;
/** How many bodies a caller of `narrow` sends at once: more than may run, to all nodes. */
const burst = 5;

type Trigger = keyof typeof callersOf;
type Answer = 'acknowledged' | 'limited' | 'unanswered';

/** Callers on many connections to all nodes. Each body is sent twice, except those of `once`, which has no `dedup`. */
export class Callers {
  readonly answers: Acknowledgement[] = [];
  readonly acknowledged = new Set<string>();
  readonly unknown: string[] = [];
  /** Answers that no caller expects. */
  readonly unexpected: string[] = [];
  readonly counts = { duplicates: 0, limited: 0, unanswered: 0, readElsewhere: 0 };
  readonly #nodes: readonly ChaosNode[];
  #number = 0;
  #isOver = false;

  constructor(nodes: readonly ChaosNode[]) {
    this.#nodes = nodes;
  }

  /** Resolves some time after `stop`, when each body that has to be is acknowledged. */
  async run(): Promise<void> {
    const callers = Object.entries(callersOf).flatMap(([trigger, count]) =>
      Array.from({ length: count }, (_, index) => this.#caller(trigger as Trigger, `session-${index}`)),
    );
    await Promise.all(callers);
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Fires until the limit has no room. */
  async fillLimit(): Promise<void> {
    const fill = async () => {
      while ((await this.#fire('limited', this.#nextNumber(), undefined)) !== 'limited');
    };
    await Promise.all(Array.from({ length: 10 }, fill));
  }

  /** Reads a run as its caller, at any node that answers. */
  async read(runId: string, trigger: string): Promise<FinalRun> {
    for (;;) {
      const answer = await this.#request(this.#node(), `${trigger}/run/${runId}`);
      if (answer?.status === 404) return { status: undefined, attempt: 0, outputAttempt: undefined };
      if (answer?.status !== 200) {
        await sleep(100);
        continue;
      }
      const { status, attempt, output } = answer.body;
      const outputAttempt = Object(output).attempt;
      return {
        ...{ status: String(status), attempt: Number(attempt) },
        outputAttempt: outputAttempt === undefined ? undefined : Number(outputAttempt),
      };
    }
  }

  async #caller(trigger: Trigger, session: string): Promise<void> {
    while (!this.#isOver) {
      if (trigger === 'narrow') {
        await Promise.all(Array.from({ length: burst }, () => this.#send(trigger, session)));
        await sleep(500);
      } else await this.#send(trigger, session);
      await sleep(20 + Math.random() * 100);
    }
  }

  async #send(trigger: Trigger, session: string): Promise<void> {
    const number = this.#nextNumber();
    const send = () => this.#fire(trigger, number, trigger === 'session' ? session : undefined);
    if (trigger === 'once') {
      if ((await send()) === 'unanswered') await sleep(Math.random() * backoffMs.most);
    } else await this.#sendTwice(send);
  }

  /** Like a caller that must know: it sends again until it is answered. */
  async #sendTwice(send: () => Promise<Answer>): Promise<void> {
    const insist = async () => {
      for (let ms: number = backoffMs.first; (await send()) === 'unanswered'; ms = Math.min(ms * 2, backoffMs.most)) {
        await sleep(ms * (0.5 + Math.random()));
      }
    };
    // Some at the same time, some one after the other.
    if (Math.random() < 0.5) await Promise.all([insist(), insist()]);
    else {
      await insist();
      await insist();
    }
  }

  async #fire(trigger: Trigger, number: number, session: string | undefined): Promise<Answer> {
    const node = this.#node();
    if (node.url === undefined) {
      await sleep(20);
      return 'unanswered';
    }
    const answer = await this.#request(node, trigger, {
      ...{ trigger, number },
      ...(session !== undefined && { session, sessionId: session }),
    });
    const { status = 0, body = {} } = answer ?? {};
    if (status === 429) {
      this.counts.limited += 1;
      return 'limited';
    }
    if (typeof body.runId !== 'string') {
      this.counts.unanswered += 1;
      if (status !== 0 && status !== 503) this.unexpected.push(`${status} ${JSON.stringify(body)}`);
      return 'unanswered';
    }
    if (body.code === 'duplicate') this.counts.duplicates += 1;
    this.answers.push({ runId: body.runId, trigger, number });
    this.acknowledged.add(body.runId);
    if (Math.random() < 0.2) await this.#readElsewhere(body.runId, trigger, node);
    return 'acknowledged';
  }

  /** What one node has acknowledged, every other one knows. */
  async #readElsewhere(runId: string, trigger: Trigger, node: ChaosNode): Promise<void> {
    const others = this.#nodes.filter((other) => other !== node);
    const other = others[Math.floor(Math.random() * others.length)];
    if (other === undefined) return;
    const answer = await this.#request(other, `${trigger}/run/${runId}`);
    if (answer?.status === 404) this.unknown.push(runId);
    if (answer?.status === 200) this.counts.readElsewhere += 1;
  }

  /** Undefined: it was not answered. */
  async #request(
    { url }: ChaosNode,
    path: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> } | undefined> {
    if (url === undefined) return undefined;
    try {
      const response = await fetch(`${url}/api/v1.0/project/support/trigger/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'x-api-key': secrets.website, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(answerWithinMs),
      });
      return { status: response.status, body: Object(await response.json()) };
    } catch {
      return undefined;
    }
  }

  #node(): ChaosNode {
    // The ports of those that are down refuse connections: a caller is elsewhere at once.
    const up = this.#nodes.filter(({ url }) => url !== undefined);
    const nodes = up.length > 0 ? up : this.#nodes;
    const node = nodes[Math.floor(Math.random() * nodes.length)];
    if (node === undefined) throw new Error('there is no node');
    return node;
  }

  /** One sequence for all: a later body has a higher number, in its session too. */
  #nextNumber(): number {
    this.#number += 1;
    return this.#number;
  }
}
