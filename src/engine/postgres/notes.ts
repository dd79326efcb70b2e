import type { Note, Notes } from '../types/index.ts';
import type { Connections } from './connections.ts';
import { inSchema } from './opening.ts';
import { restored, storable } from './text.ts';

/** Notes of all nodes. */
export class PostgresNotes implements Notes {
  readonly #connections: Connections;
  readonly #schema: string;

  constructor(connections: Connections, schema: string) {
    this.#connections = connections;
    this.#schema = schema;
  }

  async read(prefix: string): Promise<readonly Note[]> {
    const rows = await this.#query<Note>(
      'read notes',
      'SELECT key, text, version::float8 AS version FROM {s}.notes WHERE starts_with(key, $1) ORDER BY key',
      [storable(prefix)],
    );
    return rows.map(({ key, text, version }) => ({ key: restored(key), text: restored(text), version }));
  }

  async write(key: string, text: string | undefined, version: number): Promise<boolean> {
    if (text === undefined && version === 0) return (await this.read(key)).every((note) => note.key !== key);
    const given = [storable(key), ...(text === undefined ? [] : [storable(text)]), ...(version === 0 ? [] : [version])];
    const [name, sql] =
      text === undefined
        ? ['remove note', 'DELETE FROM {s}.notes WHERE key = $1 AND version = $2 RETURNING key']
        : version === 0
          ? ['add note', 'INSERT INTO {s}.notes VALUES ($1, $2, 1) ON CONFLICT (key) DO NOTHING RETURNING key']
          : [
              'change note',
              'UPDATE {s}.notes SET text = $2, version = version + 1 WHERE key = $1 AND version = $3 RETURNING key',
            ];
    return (await this.#query(name, sql, given)).length > 0;
  }

  #query<Row>(name: string, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#connections.query<Row>(name, inSchema(this.#schema, text), values);
  }
}
