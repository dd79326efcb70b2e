import type { SQLInputValue } from 'node:sqlite';
import { runStates } from '../../../contract/index.ts';
import { verdicts } from '../../types/index.ts';
import type { Value } from './record.ts';

export type TableName =
  | 'runs'
  | 'claims'
  | 'conversations'
  | 'sessions'
  | 'notifications'
  | 'recordings'
  | 'audit'
  | 'uses'
  | 'limits';

interface Table {
  /** In the order of the migrations. Rows that an earlier version wrote have fewer. */
  readonly columns: readonly string[];
  /** How many columns its oldest rows have. */
  readonly least: number;
  /** Whether its rows are in a b-tree of the kind for tables; those WITHOUT ROWID are in one for indexes. */
  readonly hasRowid: boolean;
  /** Whether these are values of this table, and not of another b-tree of that kind. */
  isRow(values: readonly Value[]): boolean;
}

const words = (text: string) => text.split(' ');
const isText = (value: Value) => typeof value === 'string';
const isNumber = (value: Value) => typeof value === 'number';
const isOneOf = (value: Value, all: readonly string[]) => typeof value === 'string' && all.includes(value);
/** UUID (RFC 9562). */
const isId = (value: Value) => typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);

/** The tables of a journal. Columns after those that `isRow` checks may be lost. */
export const tables: Readonly<Record<TableName, Table>> = {
  runs: {
    columns: words(
      'id project trigger_key revision principal session_id replay_of state attempt accepted_at started_at finished_at retry_at failed_attempts failure keep is_masked session_ttl notify claim_scope claim_fingerprint keep_claim input output checkpoint input_tokens output_tokens interruptions conversation failure_detail origin secret request_id reservations model cached_tokens reasoning_tokens cost currency burst_key burst_starts_at burst_ends_at concurrency_value starts_at trace',
    ),
    least: 24,
    hasRowid: true,
    isRow: (values) =>
      isId(values[0]) &&
      isOneOf(values[7], runStates) &&
      isNumber(values[9]) &&
      isText(values[15]) &&
      isNumber(values[18]),
  },
  recordings: {
    columns: words(
      'id received_at project trigger_key principal ip headers body masked verdict code status decided_by run_id revision provenance size until origin request_id details',
    ),
    least: 18,
    hasRowid: true,
    isRow: (values) => isId(values[0]) && isOneOf(values[9], verdicts) && isNumber(values[11]) && isNumber(values[17]),
  },
  audit: {
    columns: words('id at actor action entry'),
    least: 5,
    hasRowid: true,
    isRow: ([id, at, ...texts]) => isId(id) && isNumber(at) && texts.every(isText),
  },
  conversations: {
    columns: words('id memory until'),
    least: 3,
    hasRowid: true,
    isRow: ([id, memory, until]) => isId(id) && isText(memory) && isNumber(until),
  },
  uses: {
    columns: words('id used until'),
    least: 3,
    hasRowid: true,
    isRow: ([id, used, until]) => isText(id) && isNumber(used) && isNumber(until),
  },
  /** Of versions before `conversations`. */
  sessions: {
    columns: words('project trigger_key session_id memory until'),
    least: 5,
    hasRowid: true,
    isRow: (values) => values.slice(0, 4).every(isText) && isNumber(values[4]),
  },
  claims: {
    columns: words('scope fingerprint run_id until'),
    least: 4,
    hasRowid: false,
    // An index on sessions has four columns too, but names a project first, in which there is no slash.
    isRow: ([scope, fingerprint, runId, until]) =>
      typeof scope === 'string' &&
      scope.includes('/') &&
      isText(fingerprint) &&
      isText(runId) &&
      (until === null || isNumber(until)),
  },
  limits: {
    columns: words('limit_id value opened_at used open until'),
    least: 6,
    hasRowid: false,
    isRow: (values) => values.slice(0, 2).every(isText) && values.slice(2).every(isNumber),
  },
  notifications: {
    columns: words('id attempts due_at'),
    least: 3,
    hasRowid: false,
    isRow: ([id, attempts, dueAt]) => isText(id) && isNumber(attempts) && isNumber(dueAt),
  },
};

export const tableNames = Object.keys(tables) as readonly TableName[];

/** The table that a row on an orphaned page belongs to. */
export function tableOf(values: readonly Value[], isTable: boolean): TableName | undefined {
  return tableNames.find((name) => isRowOf(name, values) && tables[name].hasRowid === isTable);
}

export function isRowOf(name: TableName, values: readonly Value[]): boolean {
  const { least, columns, isRow } = tables[name];
  return values.length >= least && values.length <= columns.length && isRow(values);
}

export type NewRow = Record<string, SQLInputValue>;

/** What is lost becomes NULL; a column that a later version has added gets its default. */
export function newRow(name: TableName, values: readonly Value[]): NewRow {
  const { columns } = tables[name];
  return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? defaults[column] ?? null]));
}

const defaults: Readonly<Record<string, SQLInputValue>> = { interruptions: 0 };
