import type { Engine, Life, NodeInfo, NodeRecord } from '../../engine/types/index.ts';
import type { NodeDocument, NodesDocument } from './nodes-document.gen.ts';

/** What a gateway knows of itself, whether its engine is shared or not. */
export interface OwnNode extends Omit<NodeInfo, 'running'> {
  readonly startedAt: number;
  /** Since when it serves its revision, milliseconds since the epoch. */
  readonly revisionSince: number;
}

type NodeSource = Pick<Engine, 'nodes' | 'life' | 'load'>;

/** What operators see of nodes. */
export class NodeOperations {
  readonly #engine: NodeSource;
  readonly #own: () => OwnNode | undefined;

  /** @param own what this process says of itself; undefined: it is no node */
  constructor(engine: NodeSource, own: () => OwnNode | undefined) {
    this.#engine = engine;
    this.#own = own;
  }

  /** @param now milliseconds since the epoch */
  async list(now = Date.now()): Promise<NodesDocument> {
    const own = this.#own();
    const { queued, running } = this.#engine.load();
    const shared = await this.#engine.nodes?.();
    if (shared === undefined) return { nodes: own === undefined ? [] : [lone(own, running)], queued };
    return { nodes: described(shared, { own, life: this.#engine.life, now }), queued };
  }
}

interface Reader {
  readonly own: OwnNode | undefined;
  readonly life: Life | undefined;
  readonly now: number;
}

function described(nodes: readonly NodeRecord[], { own, life, now }: Reader): NodeDocument[] {
  const newest = newestRevision(nodes);
  // A command that reads the store is no node and has no keys: then the oldest node is the measure.
  const keys = own?.keyDigest ?? nodes.toSorted((one, other) => one.startedAt - other.startedAt)[0]?.keyDigest;
  return nodes
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map((node) => ({
      ...common(node),
      // Of a version 7 UUID, the beginning is the time.
      life: node.life.slice(-8),
      lease: {
        endsAt: new Date(node.leaseUntil).toISOString(),
        endsInSeconds: Math.max(0, Math.round((node.leaseUntil - now) / 1000)),
      },
      this: own !== undefined && (life === undefined ? node.name === own.name : node.life === life),
      hasNewestRevision: node.revision === newest,
      keysDiffer: node.keyDigest !== keys,
    }));
}

/** The one that began to be served last. A node that starts again with a revision that others serve does not make it new. */
function newestRevision(nodes: readonly NodeRecord[]): string | undefined {
  const since = new Map<string, number>();
  for (const { revision, revisionSince } of nodes) {
    since.set(revision, Math.min(since.get(revision) ?? Infinity, revisionSince));
  }
  return [...since].sort(([, one], [, other]) => other - one)[0]?.[0];
}

function lone(own: OwnNode, running: number): NodeDocument {
  const shared = { life: null, lease: null, this: true, hasNewestRevision: true, keysDiffer: false };
  return { ...common({ ...own, running }), ...shared };
}

function common({ name, version, revision, commit, isDirty, revisionSince, startedAt, running }: Common) {
  return {
    name,
    version,
    startedAt: new Date(startedAt).toISOString(),
    revision,
    gitCommit: commit ?? null,
    // Without a commit that it differs from, git has said nothing.
    dirty: commit === undefined && !isDirty ? null : isDirty,
    since: new Date(revisionSince).toISOString(),
    running,
  };
}

type Common = OwnNode & Pick<NodeRecord, 'running'>;
