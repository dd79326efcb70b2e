/** What an engine is to the gateway, and what both store and ask. Internal: no third party loads an engine yet. */
export * from './attempt-released.ts';
export type * from './engine.ts';
export * from './engine-unavailable.ts';
export type * from './executor.ts';
export * from './recordings.ts';
export type * from './run-record.ts';
