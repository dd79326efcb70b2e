/** The interface between gateway and engine. Internal: third parties cannot add engines yet. */
export * from './attempt-released.ts';
export * from './audit.ts';
export type * from './commits.ts';
export * from './conversation-id.ts';
export type * from './engine.ts';
export * from './engine-broken.ts';
export * from './engine-unavailable.ts';
export type * from './executor.ts';
export * from './limits.ts';
export type * from './memory.ts';
export type * from './node.ts';
export type * from './notes.ts';
export * from './queue-is-full.ts';
export * from './recordings.ts';
export type * from './recovery.ts';
export type * from './run-record.ts';
export type * from './run-trace.ts';
export * from './stored-keys.ts';
