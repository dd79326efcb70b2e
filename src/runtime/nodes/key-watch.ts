import type { PluginLog } from '../../contract/index.ts';
import type { NodeRecord } from '../../engine/types/index.ts';

/** Reports nodes whose keys differ from those of this node, once for as long as they do. */
export class KeyWatch {
  readonly #log: PluginLog;
  #reported = '';

  constructor(log: PluginLog) {
    this.#log = log;
  }

  look(nodes: readonly NodeRecord[], keyDigest: string): void {
    const different = nodes.filter((node) => node.keyDigest !== keyDigest).map(({ name }) => name);
    const names = different.sort().join(', ');
    if (names === this.#reported) return;
    this.#reported = names;
    if (names === '') this.#log.info({}, 'all nodes have the same keys again');
    else this.#log.error({ nodes: different }, differ);
  }
}

const differ =
  'nodes have other keys than this one: they refuse the tokens, challenges and completion addresses that it signs; ' +
  'give all nodes the same `tokens.secrets` and the same secrets of `run.with.detached.completion`';
