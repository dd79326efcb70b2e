import { existsSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Recovery } from '../../types/recovery.ts';
import { openDatabase, takeLock } from '../database.ts';
import { BTrees } from './b-trees.ts';
import { NewJournal } from './new-journal.ts';
import { PageFile } from './page-file.ts';
import type { Value } from './record.ts';
import { isRowOf, type TableName, tableNames, tableOf, tables } from './rows.ts';

/**
 * Exports what can be read of a damaged journal into a new one, without SQLite and without a change to the damaged one. First
 * the b-trees from their roots; then, if pages of them are damaged, the pages that nothing reaches any more.
 * @param to a file that does not exist
 */
export function recoverJournal(from: string, to: string, now = Date.now()): Recovery {
  if (!existsSync(from)) throw new Error(`${from} does not exist`);
  if (existsSync(to)) throw new Error(`${to} exists already`);
  // Nobody may write to it meanwhile.
  const lock = takeLock(from);
  const file = new PageFile(from);
  try {
    const made = openDatabase(to, undefined);
    try {
      return { from, to, ...exportAll(file, made.database, now) };
    } finally {
      made.close();
      rmSync(`${to}.lock`, { force: true });
    }
  } finally {
    file.close();
    lock.close();
  }
}

function exportAll(file: PageFile, database: DatabaseSync, now: number): Omit<Recovery, 'from' | 'to'> {
  const trees = new BTrees(file);
  const journal = new NewJournal(database, now);
  const roots = rootsOf(trees);
  const runIds = new Set<string>();
  database.exec('BEGIN');
  for (const name of tableNames) {
    const root = roots.get(name);
    if (root === undefined) continue;
    for (const values of trees.rows(root)) addTo(journal, name, values, trees);
  }
  for (const [name, root] of roots) {
    if (name in tables) continue;
    for (const values of trees.rows(root)) {
      if (name === 'runs_by_time' && typeof values[1] === 'string') runIds.add(values[1]);
    }
  }
  if (trees.damagedPages.size > 0 || tableNames.some((name) => !roots.has(name))) {
    trees.skipFreePages();
    for (const { isTable, rows } of trees.orphans()) {
      for (const values of rows) {
        const name = tableOf(values, isTable);
        if (name !== undefined) journal.add(name, values);
      }
    }
  }
  const finished = journal.finish();
  database.exec('COMMIT');
  return {
    ...finished,
    damagedPages: trees.damagedPages.size,
    lostRows: trees.lostCells + finished.lostRows,
    lostRuns: [...runIds].filter((id) => !journal.hasRun(id)),
  };
}

function addTo(journal: NewJournal, name: TableName, values: readonly Value[], trees: BTrees): void {
  if (isRowOf(name, values)) journal.add(name, values);
  else trees.lostCells += 1;
}

/** The root pages of tables and indexes by name; empty if the schema is damaged. */
function rootsOf(trees: BTrees): Map<string, number> {
  const roots = new Map<string, number>();
  for (const [, name, , root] of trees.rows(1)) {
    if (typeof name === 'string' && typeof root === 'number' && root > 0) roots.set(name, root);
  }
  return roots;
}
