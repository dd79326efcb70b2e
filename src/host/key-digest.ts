import { hash } from 'node:crypto';
import type { Run } from '../contract/index.ts';
import { secretsOf } from './instance-secrets.ts';
import type { TokenKeys } from './token-keys.ts';

/**
 * Names everything that signs what another node must accept, without revealing it: the secrets of tokens and challenges, and
 * those of run plugins that take completions, which sign the addresses. Nodes with the same digest accept what each other sign.
 */
export function keyDigest(tokens: TokenKeys | undefined, runs: Iterable<Run>): string {
  const completing = [...runs].flatMap((run) => (run.complete === undefined ? [] : secretsOf(run)));
  // Triggers share secrets, and their order says nothing.
  const sorted = [...new Set(completing)].sort();
  return hash('sha256', JSON.stringify(['pullcord key digest', tokens?.secretsFor('key digest'), sorted])).slice(0, 32);
}
