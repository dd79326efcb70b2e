import type { AlertRuleConfig } from '../../config/alert-model.ts';
import type { Engine, Life, Notes } from '../../engine/types/index.ts';
import { mergeObservations, type Observation, type Observations } from './sample.ts';

const prefix = 'alert-node/';

/**
 * How the nodes of a cluster evaluate rules once: each writes what it has seen into a note of its own, and the node with the
 * lowest life reads those of all that live. An engine of one process has one node.
 */
export class SharedObservations {
  readonly #engine: Pick<Engine, 'nodes' | 'life'>;
  readonly #notes: Notes;
  #own: { readonly key: string; version: number; text: string } | undefined;

  constructor(engine: Pick<Engine, 'nodes' | 'life'>, notes: Notes) {
    this.#engine = engine;
    this.#notes = notes;
  }

  /** What all nodes have seen, for the one that evaluates; undefined for the others. */
  async gather(rules: readonly AlertRuleConfig[], own: Observations): Promise<Observations | undefined> {
    if (this.#engine.nodes === undefined) return own;
    const { life } = this.#engine;
    if (life === undefined) return undefined;
    const lives = (await this.#engine.nodes()).map((node) => node.life).sort();
    if (lives[0] !== life) {
      await this.#publish(life, own);
      return undefined;
    }
    return mergeAll(rules, [own, ...(await this.#others(life, new Set(lives)))]);
  }

  async #publish(life: Life, own: Observations): Promise<void> {
    const key = `${prefix}${life}`;
    const text = JSON.stringify(own);
    if (this.#own?.key !== key) this.#own = { key, version: 0, text: '' };
    if (this.#own.text === text) return;
    if (await this.#notes.write(key, text, this.#own.version)) {
      this.#own.version += 1;
      this.#own.text = text;
      return;
    }
    // A commit whose answer was lost.
    const found = (await this.#notes.read(key)).find((note) => note.key === key);
    this.#own = { key, version: found?.version ?? 0, text: found?.text ?? '' };
  }

  /** Those of nodes that are gone are removed. */
  async #others(life: Life, lives: ReadonlySet<Life>): Promise<readonly Observations[]> {
    const found: Observations[] = [];
    for (const { key, text, version } of await this.#notes.read(prefix)) {
      const of = key.slice(prefix.length);
      if (of === life || !lives.has(of)) await this.#notes.write(key, undefined, version);
      else found.push(JSON.parse(text));
    }
    return found;
  }
}

function mergeAll(rules: readonly AlertRuleConfig[], all: readonly Observations[]): Observations {
  return Object.fromEntries(
    rules.map(({ name, condition }): [string, Observation] => {
      const ofRule = all.map((observations) => observations[name] ?? {});
      return [name, mergeObservations(condition.kind, ofRule)];
    }),
  );
}
