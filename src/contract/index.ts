/** Contract v1, published as `pullcord/plugin`: everything that a plugin may know of the gateway. */
export { WorkBudget, WorkExhausted } from '../work/work-budget.ts';
export type * from './api-key.ts';
export type * from './auth.ts';
export type * from './dedup.ts';
export * from './errors.ts';
export * from './exchange.ts';
export type * from './filter.ts';
export type * from './json.ts';
export * from './json-pointer.ts';
export * from './origin.ts';
export * from './outbound.ts';
export * from './plugin.ts';
export * from './problem.ts';
export type * from './reads.ts';
export * from './respond.ts';
export type * from './run.ts';
export * from './run-state.ts';
export type * from './secrets.ts';
