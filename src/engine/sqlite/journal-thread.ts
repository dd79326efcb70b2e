// The journal's own thread: commits wait for the disk here, without blocking the gateway's event loop.
import type { DatabaseSync } from 'node:sqlite';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type OpenDatabase, openDatabase } from './database.ts';
import type { JournalData, JournalMessage, JournalTables, Operation, OperationResult } from './protocol.ts';
import { RecordingTables } from './recording-tables.ts';
import { RunTables } from './run-tables.ts';
import { unavailability } from './sqlite-error.ts';

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');
const data: JournalData = workerData;
const send = (message: JournalMessage): void => port.postMessage(message);

const opened = open();
if (opened !== undefined) {
  const { database } = opened;
  const tables: JournalTables = {
    runs: new RunTables(database, data.retention),
    recordings: new RecordingTables(database),
  };
  port.on('message', (operations: readonly Operation[] | 'close') => {
    // Group commit: whatever arrived while the last commit waited for the disk shares the next one.
    const batch: Operation[] = [];
    let next: unknown = operations;
    for (; Array.isArray(next); next = receiveMessageOnPort(port)?.message) batch.push(...next);
    if (batch.length > 0) send({ kind: 'results', results: perform(batch, database, tables) });
    if (next !== 'close') return;
    opened.close();
    port.close();
  });
  send({ kind: 'ready' });
}

/** Performs operations in one transaction; if one of them fails, each in its own. */
function perform(batch: readonly Operation[], database: DatabaseSync, tables: JournalTables): OperationResult[] {
  try {
    return transact(database, tables, () => batch.map((operation) => ({ ok: true, value: call(tables, operation) })));
  } catch (error) {
    if (batch.length === 1) return [failure(error)];
    return batch.flatMap((operation) => perform([operation], database, tables));
  }
}

/** `JournalClient.ask`, which alone creates operations, has checked name and arguments by their types. */
function call(tables: JournalTables, { table, method, args }: Operation): unknown {
  const target: object = tables[table];
  return Reflect.apply(Reflect.get(target, method), target, args);
}

function transact<T>(database: DatabaseSync, tables: JournalTables, work: () => T): T {
  try {
    // A transaction may be left that could not even be rolled back, because the disk failed then too.
    if (database.isTransaction) database.exec('ROLLBACK');
    database.exec('BEGIN IMMEDIATE');
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    tables.runs.forgetCounts();
    tables.recordings.forgetCounts();
    rollBack(database);
    throw error;
  }
}

function rollBack(database: DatabaseSync): void {
  try {
    // SQLite rolls back by itself after some errors.
    if (database.isTransaction) database.exec('ROLLBACK');
  } catch {
    // Retried before the next transaction.
  }
}

function open(): OpenDatabase | undefined {
  try {
    return openDatabase(data.path, data.maxSizeBytes);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    send({ kind: 'refused', message });
    port?.close();
    return undefined;
  }
}

function failure(error: unknown): OperationResult {
  const reason = unavailability(error);
  const message = error instanceof Error ? error.message : String(error);
  return { ok: false, isUnavailable: reason !== undefined, message: reason ?? message };
}
