/** The public contract, published as `pullcord/plugin`: all that a plugin or an engine may know of the gateway. */
export * from './agent-json.ts';
export type * from './api-key.ts';
export * from './attempt-released.ts';
export * from './errors.ts';
export * from './event-stream.ts';
export * from './exchange.ts';
export type * from './json.ts';
export * from './outbound.ts';
export * from './plugin.ts';
export * from './problem.ts';
export * from './run-state.ts';
