import type { AuditTable } from './audit-table.ts';
import type { NoteTable } from './note-table.ts';
import type { RecordingTables } from './recording-tables.ts';
import type { RunTables } from './run-tables.ts';
import type { StorageCheck } from './storage-check.ts';

/**
 * What the gateway's thread can ask the journal's thread to do: any method of these tables. An operation is therefore
 * written twice, where it is performed (the tables) and where it is asked for (`Journal`, `JournalRecordings`, `JournalNotes`).
 */
export interface JournalTables {
  readonly runs: RunTables;
  readonly recordings: RecordingTables;
  readonly audit: AuditTable;
  readonly notes: NoteTable;
  readonly storage: StorageCheck;
}

export type TableName = keyof JournalTables;
/** Counts are the thread's own business. */
export type MethodName<T extends TableName> = Exclude<keyof JournalTables[T] & string, 'forgetCounts'>;
type Method<T extends TableName, M extends MethodName<T>> = Extract<JournalTables[T][M], (...args: never) => unknown>;
export type OperationArguments<T extends TableName, M extends MethodName<T>> = Parameters<Method<T, M>>;
export type OperationValue<T extends TableName, M extends MethodName<T>> = ReturnType<Method<T, M>>;

/** A call of a method. Values that are JSON cross the threads as text. */
export interface Operation {
  readonly table: TableName;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type OperationResult =
  | { readonly ok: true; readonly value: unknown }
  /** Nothing was changed. `isUnavailable`: a retry may succeed. */
  | { readonly ok: false; readonly isUnavailable: boolean; readonly message: string };

/**
 * What the journal's thread sends: `ready` or `refused` first, then results in the order of the operations. Once the journal
 * turns out to be damaged, it says so before the results, and performs nothing any more.
 */
export type JournalMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly message: string; readonly isDamaged: boolean }
  | { readonly kind: 'damaged'; readonly message: string }
  | { readonly kind: 'results'; readonly results: readonly OperationResult[] };

export interface JournalData {
  readonly path: string;
  readonly maxSizeBytes: number | undefined;
  readonly retention: { readonly age: number; readonly count: number };
}
