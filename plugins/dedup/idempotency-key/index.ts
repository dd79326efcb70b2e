import { hash } from 'node:crypto';
import type { DedupPlugin } from '../../../src/contract/index.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

export default {
  contract: 'v1',
  stage: 'dedup',
  name: 'idempotency-key',
  summary: 'Two requests of one caller are the same if their Idempotency-Key headers are.',
  optionsSchema: schema,
  create(_context, options) {
    const header = options.header.toLowerCase();
    const { window: windowMs, keepOnFailure } = options;
    return {
      reads: { headers: [header] },
      fingerprint({ headers, caller }) {
        const field = headers[header];
        const key = (typeof field === 'string' ? field : field?.join(', '))?.trim();
        if (!key) return undefined;
        return { key: fingerprintOf(caller.id, key), windowMs, keepOnFailure };
      },
    };
  },
} satisfies DedupPlugin<Options>;

const plainKey = /^[\x21-\x7e]{1,255}$/;

/**
 * Never collides with a body's fingerprint, which is bare hex, nor with the key of another caller: a plain key
 * contains no space, so the first space ends it. Other keys (too long, or with spaces) count too, by their digest:
 * ignoring one would run twice what the caller asked to run once.
 */
function fingerprintOf(callerId: string, key: string): string {
  return plainKey.test(key)
    ? `idempotency-key:${key} ${callerId}`
    : `idempotency-key-sha256:${hash('sha256', key, 'hex')} ${callerId}`;
}
