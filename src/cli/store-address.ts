import { readFileSync } from 'node:fs';
import type { StoreAddress } from '../host/open-copying.ts';
import { UsageError } from './terminal.ts';

/**
 * Reads `sqlite:PATH`, `postgres:URL`, `postgres://…`, and `ENGINE:env:NAME` or `ENGINE:file:PATH` for an address that does not
 * stand on the command line, where other users of the machine see it. No message repeats an address: it may have a password.
 */
export function storeAddress(option: string, text: string): StoreAddress {
  if (/^postgres(ql)?:\/\//.test(text)) return { engine: 'postgres', address: text };
  const [, engine, rest] = /^([a-z0-9-]+):(.+)$/s.exec(text) ?? [];
  if (engine === undefined || rest === undefined) {
    throw new UsageError(
      `${option} must be sqlite:PATH or postgres:URL; an empty URL may come from a variable that is not set`,
    );
  }
  const [, kind, place = ''] = /^(env|file):(.*)$/s.exec(rest) ?? [];
  if (kind === 'env') {
    const address = process.env[place];
    if (!address) throw new UsageError(`${option}: the variable ${place} is not set`);
    return { engine, address };
  }
  return { engine, address: kind === 'file' ? readFileSync(place, 'utf8').trim() : rest };
}
