// The journal's own thread: a commit waits for the disk here, and nobody else does.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type OpenDatabase, openDatabase } from './database.ts';
import type { JournalData, JournalMessage, Operation, OperationResult } from './protocol.ts';
import { outOfReach } from './sqlite-error.ts';
import { Tables, tidyLimit } from './tables.ts';

const port = parentPort;
if (port === null) throw new Error('this file is run as a thread');
const data: JournalData = workerData;
const tell = (message: JournalMessage): void => port.postMessage(message);

const opened = open();
if (opened !== undefined) {
  const { database } = opened;
  const tables = new Tables(database, data.retention);

  port.on('message', (operations: readonly Operation[] | 'close') => {
    // All that came while the last commit was waiting for the disk goes into the next one.
    const batch: Operation[] = [];
    let next: unknown = operations;
    for (; Array.isArray(next); next = receiveMessageOnPort(port)?.message) batch.push(...next);
    if (batch.length > 0) tell({ kind: 'results', results: perform(batch) });
    if (next !== 'close') return;
    opened.close();
    port.close();
  });
  tell({ kind: 'ready' });

  /** Performs operations in one transaction; if one of them fails, each in its own. */
  function perform(batch: readonly Operation[]): readonly OperationResult[] {
    try {
      return transact(() => batch.map((operation) => ({ ok: true, value: apply(operation) })));
    } catch (error) {
      if (batch.length === 1) return [failure(error)];
      return batch.flatMap((operation) => perform([operation]));
    }
  }

  function transact<T>(work: () => T): T {
    try {
      // One that could not even be rolled back, since the disk failed then too.
      if (database.isTransaction) database.exec('ROLLBACK');
      database.exec('BEGIN IMMEDIATE');
      const result = work();
      database.exec('COMMIT');
      return result;
    } catch (error) {
      tables.forgetCounts();
      rollBack();
      throw error;
    }
  }

  function rollBack(): void {
    try {
      // Some errors have rolled back already.
      if (database.isTransaction) database.exec('ROLLBACK');
    } catch {
      // Tried again before the next transaction.
    }
  }

  function apply(operation: Operation): unknown {
    switch (operation.kind) {
      case 'submit':
        return tables.submit(operation.run, operation.claim, operation.now);
      case 'start':
        return tables.start(operation.start);
      case 'end':
        return tables.end(operation.end);
      case 'retry':
        return tables.retry(operation.retry, operation.now);
      case 'save':
        return tables.save(operation.id, operation.checkpoint);
      case 'remember':
        return tables.remember(operation.id, operation.memory, operation.now);
      case 'get':
        return tables.get(operation.id);
      case 'list':
        return tables.list(operation.query);
      case 'pending':
        return tables.pending();
      case 'pendingNotifications':
        return tables.pendingNotifications();
      case 'notifyLater':
        return tables.notifyLater(operation.notification);
      case 'notified':
        return tables.notified(operation.id);
      case 'record':
        return tables.recordings.record(operation.recordings, operation.bounds, operation.now, tidyLimit);
      case 'recording':
        return tables.recordings.get(operation.id, operation.now);
      case 'recordings':
        return tables.recordings.list(operation.query, operation.now);
      case 'tidy':
        return tables.tidy(operation.now);
    }
  }
}

function open(): OpenDatabase | undefined {
  try {
    return openDatabase(data.path, data.maxSizeBytes);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    tell({ kind: 'refused', message });
    port?.close();
    return undefined;
  }
}

function failure(error: unknown): OperationResult {
  const reason = outOfReach(error);
  const message = error instanceof Error ? error.message : String(error);
  return { ok: false, isOutOfReach: reason !== undefined, message: reason ?? message };
}
