export { ClusterEngine } from './cluster-engine.ts';
export type { ClusterOptions } from './cluster-node.ts';
