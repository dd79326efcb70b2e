import { hostname } from 'node:os';
import type { NodeName, ServedConfig } from '../../engine/types/index.ts';
import { packageVersion } from '../package-version.ts';
import type { Snapshot } from '../snapshot.ts';

/** What this process is called among nodes, and since when it runs. */
export interface ThisNode extends NodeName {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** The name that `PULLCORD_NODE` declares, or else host name and process id. */
export function thisNode({ PULLCORD_NODE: name }: NodeJS.ProcessEnv = process.env): ThisNode {
  return { name: name || `${hostname()}-${process.pid}`, version: packageVersion(), startedAt: Date.now() };
}

/** What other nodes may know of what this one serves. */
export function servedConfig({ revision, gitCommit: commit, isDirty = false, keyDigest }: Snapshot): ServedConfig {
  return { revision, commit, isDirty, keyDigest };
}
