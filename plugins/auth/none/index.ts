import type { AuthPlugin, AuthResult } from '../../../src/contract/index.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

export default {
  contract: 'v1',
  stage: 'auth',
  name: 'none',
  summary: 'Lets everyone in as one and the same caller. For a gateway that only trusted callers can reach.',
  optionsSchema: schema,
  review: () => ({ callers: { kind: 'anyone' } }),
  create(_context, options) {
    const principal = Object.freeze({
      id: options.id,
      permissions: new Set(options.permissions),
      projects: 'all',
    });
    const result: AuthResult = Object.freeze({ kind: 'authenticated', principal });
    return { authenticate: () => result };
  },
} satisfies AuthPlugin<Options>;
