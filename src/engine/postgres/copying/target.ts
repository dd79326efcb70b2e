import type { CopiedOutcome, CopiedRow, CopyOptions, CopyTarget } from '../../copy/copied-rows.ts';
import type { NodeInfo } from '../../types/index.ts';
import { insertOf, passTurns } from './inserts.ts';
import { type OpenSchema, openSchema } from './open-schema.ts';
import { copierLife, storedRow } from './stored-rows.ts';

/** Opens a schema to copy into it, or makes one. Rejects with an Error fit for users. */
export async function openTarget(address: string, options: CopyOptions): Promise<CopyTarget> {
  return new SchemaTarget(await openSchema(address, options, 'target'));
}

class SchemaTarget implements CopyTarget {
  readonly name: string;
  readonly #opened: OpenSchema;
  readonly #now = Date.now();
  #isFinished = false;

  constructor(opened: OpenSchema) {
    this.name = opened.name;
    this.#opened = opened;
  }

  async add(rows: readonly CopiedRow[]): Promise<readonly CopiedOutcome[]> {
    const [first] = rows;
    if (first === undefined) return [];
    const stored = rows.map((row, index) => ({ n: index, ...storedRow(row, this.#now) }));
    const outcomes: CopiedOutcome[] = rows.map(() => 'present');
    const answers = await this.#opened.query<{ n: number; outcome: CopiedOutcome }>(insertOf(first.kind), [
      JSON.stringify(stored),
    ]);
    for (const { n, outcome } of answers) outcomes[n] = outcome;
    return outcomes;
  }

  /** Gives one pending run of each session its turn, and has runs fail whose inputs are masked. */
  async finish(): Promise<void> {
    await this.#opened.query(passTurns, [this.#now]);
    const info: NodeInfo = {
      name: 'pullcord engine copy',
      version: '',
      revision: '',
      commit: undefined,
      isDirty: false,
      keyDigest: '',
      running: 0,
    };
    // A node that is dead: the first one that starts buries it, and what it alone could have executed fails.
    await this.#opened.locked(
      `INSERT INTO {s}.nodes SELECT $1, $2, '', $3, $3, clock_timestamp(), clock_timestamp()
         WHERE EXISTS (SELECT 1 FROM {s}.queue WHERE pinned = $1) ON CONFLICT DO NOTHING`,
      [copierLife, JSON.stringify(info), this.#now],
    );
    this.#isFinished = true;
  }

  async close(): Promise<void> {
    await this.#opened.close(this.#isFinished ? 'commit' : 'rollback');
  }
}
