export { PullcordClient } from './client.ts';
export { PullcordError } from './error.ts';
export type * from './types.ts';
export { visitorCredential } from './visitor.ts';
