// The journal's own thread: commits wait for the disk here, without blocking the gateway's event loop.
import type { DatabaseSync } from 'node:sqlite';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { AuditTable } from './audit-table.ts';
import { type OpenDatabase, openDatabase } from './database.ts';
import { NoteTable } from './note-table.ts';
import type { JournalData, JournalMessage, JournalTables, Operation, OperationResult } from './protocol.ts';
import { RecordingTables } from './recording-tables.ts';
import { RunTables } from './run-tables.ts';
import { damageMessage, isDamage, unavailability } from './sqlite-error.ts';
import { StorageCheck } from './storage-check.ts';

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');
const data: JournalData = workerData;
const send = (message: JournalMessage): void => port.postMessage(message);

/** Nothing is written to a journal that is known to be damaged: that could damage more of it. */
let damage: unknown;

const opened = open();
if (opened !== undefined) {
  const { database } = opened;
  const tables: JournalTables = {
    runs: new RunTables(database, data.retention),
    recordings: new RecordingTables(database),
    audit: new AuditTable(database),
    notes: new NoteTable(database),
    storage: new StorageCheck(database),
  };
  port.on('message', (operations: readonly Operation[] | 'close') => {
    // Group commit: whatever arrived while the last commit waited for the disk shares the next one.
    const batch: Operation[] = [];
    let next: unknown = operations;
    for (; Array.isArray(next); next = receiveMessageOnPort(port)?.message) batch.push(...next);
    if (batch.length > 0) answer(batch, database, tables);
    if (next !== 'close') return;
    close(opened);
    port.close();
  });
  send({ kind: 'ready' });
}

function answer(batch: readonly Operation[], database: DatabaseSync, tables: JournalTables): void {
  const wasDamaged = damage !== undefined;
  const results = perform(batch, database, tables);
  if (damage !== undefined && !wasDamaged) send({ kind: 'damaged', message: damageMessage(data.path, damage) });
  send({ kind: 'results', results });
}

/** Performs operations in one transaction; if one of them fails, each in its own. */
function perform(batch: readonly Operation[], database: DatabaseSync, tables: JournalTables): OperationResult[] {
  if (damage !== undefined) return batch.map(() => failure(damage));
  try {
    return transact(database, tables, () => batch.map((operation) => ({ ok: true, value: call(tables, operation) })));
  } catch (error) {
    if (isDamage(error)) damage = error;
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

function close(journal: OpenDatabase): void {
  try {
    journal.close();
  } catch (error) {
    // What was committed is in the log, from which the next start takes it over.
    if (damage === undefined) throw error;
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
    const isDamaged = isDamage(error);
    const message = error instanceof Error ? error.message : String(error);
    send({ kind: 'refused', message: isDamaged ? damageMessage(data.path, error) : message, isDamaged });
    port?.close();
    return undefined;
  }
}

function failure(error: unknown): OperationResult {
  const reason = unavailability(error);
  const message = error instanceof Error ? error.message : String(error);
  return { ok: false, isUnavailable: reason !== undefined, message: reason ?? message };
}
