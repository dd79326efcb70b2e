import type { Beat, LaneRule } from '../cluster/shared-store.ts';
import { laneOf } from '../execution/run-slot.ts';
import { EngineUnavailable, type Life, type NodeInfo, type NodeRecord } from '../types/index.ts';
import type { Database } from './database.ts';
import type { Link } from './link.ts';
import { restored, storable } from './text.ts';

/** Lives of nodes, and what they say of triggers. */
export class NodeTable {
  readonly #database: Database;
  readonly #link: Link;
  readonly #maxInterruptions: number;

  constructor(database: Database, link: Link, maxInterruptions: number) {
    this.#database = database;
    this.#link = link;
    this.#maxInterruptions = maxInterruptions;
  }

  async register(info: NodeInfo, leaseMs: number): Promise<Life> {
    const [row] = await this.#link.query<{ life: Life }>(
      this.#database.sql('SELECT {s}.v1_register($1, $2, $3) AS life'),
      [JSON.stringify(info), info.revision, leaseMs],
    );
    if (row === undefined) throw new EngineUnavailable('the database has not registered the node');
    return row.life;
  }

  async beat(life: Life, info: NodeInfo, leaseMs: number): Promise<Beat> {
    const [row] = await this.#link.query<{ beat: string }>(
      this.#database.sql('SELECT {s}.v1_beat($1, $2, $3, $4, $5, $6) AS beat'),
      [life, JSON.stringify(info), info.revision, leaseMs, this.#maxInterruptions, this.#database.now],
    );
    const beat = JSON.parse(row?.beat ?? '{"kind":"buried"}');
    if (beat.kind === 'buried') return beat;
    // By the same connection: the lease must not depend on a free one of the pool.
    const nodes = await this.#link.query<NodeRow>(this.#database.sql(selectNodes), []);
    const ended = beat.ended.map(restored);
    return { ...beat, ended, owned: beat.owned.map(restored), nodes: nodes.map(nodeOf) };
  }

  async leave(life: Life): Promise<readonly string[]> {
    const [row] = await this.#database.repeat(() =>
      this.#database.raw<{ ended: string }>('leave', 'SELECT {s}.v2_leave($1, $2) AS ended', [
        life,
        this.#database.now,
      ]),
    );
    this.#link.hint({ kind: 'ready' });
    return JSON.parse(row?.ended ?? '[]').map(restored);
  }

  async release(life: Life, runIds: readonly string[]): Promise<void> {
    const values = [life, runIds.map(storable), this.#database.now];
    await this.#database.repeat(() => this.#database.raw('release', 'SELECT {s}.v1_release($1, $2, $3)', values));
    this.#link.hint({ kind: 'ready' });
  }

  async nodes(): Promise<readonly NodeRecord[]> {
    return (await this.#database.query<NodeRow>('nodes', selectNodes, [])).map(nodeOf);
  }

  async serve(revision: string, rules: readonly LaneRule[]): Promise<void> {
    const stored = rules.map((rule) => ({
      lane: storable(laneOf(rule)),
      served: rule.isServed,
      most: rule.limit ?? null,
      perValue: rule.isPerValue,
    }));
    await this.#database.query('rules', 'SELECT {s}.v1_rules($1, $2)', [revision, JSON.stringify(stored)]);
  }
}

interface NodeRow {
  readonly life: Life;
  readonly info: string;
  readonly started: number;
  readonly since: number;
  readonly until: number;
}

const selectNodes = `SELECT life, info, started_at::float8 AS started, revision_since::float8 AS since,
  floor(extract(epoch FROM lease_until) * 1000)::float8 AS until FROM {s}.nodes ORDER BY started_at, life`;

function nodeOf({ life, info, started, since, until }: NodeRow): NodeRecord {
  const known: NodeInfo = JSON.parse(info);
  return { ...known, life, startedAt: started, revisionSince: since, leaseUntil: until };
}
