import { type AuthPlugin, OptionsError, type RequestHead } from '../../../src/contract/index.ts';
import { unknownProjects } from '../unknown-projects.ts';
import { abstained, rejected } from '../verdicts.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

export default {
  contract: 'v1',
  stage: 'auth',
  name: 'jwt',
  summary: 'Knows a caller by a signed token of an identity provider (JWT), with its keys at a URL or at hand.',
  optionsSchema: schema,
  review: () => ({ callers: { kind: 'holders', prefix: 'jwt:' } }),
  async create(context, options) {
    const unknown = Array.isArray(options.projects) ? unknownProjects(context, options.projects, '/projects') : [];
    if (unknown.length > 0) throw new OptionsError(unknown);
    // Loaded lazily: a config without JWT does not pay for the import.
    const [{ findKeys }, { tokenVerifier }] = await Promise.all([
      import('./find-keys.ts'),
      import('./verify-token.ts'),
    ]);
    const verify = tokenVerifier(findKeys(context, options), options);
    const header = options.header.toLowerCase();
    return {
      credentials: { headers: [header] },
      authenticate({ headers, receivedAt }) {
        const token = tokenIn(headers[header], header);
        // An API key, which the api-key plugin knows.
        if (token === undefined || /^pc[bt]?_/.test(token)) return abstained;
        return token.length <= longestToken && compactForm.test(token) ? verify(token, receivedAt) : malformed;
      },
    };
  },
} satisfies AuthPlugin<Options>;

/** RFC 7515 §7.1. */
const compactForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const longestToken = 8192;
const malformed = rejected('malformed token');

function tokenIn(field: RequestHead['headers'][string], header: string): string | undefined {
  if (typeof field !== 'string') return undefined;
  const bearer = /^bearer +(.*)$/i.exec(field)?.[1];
  return bearer ?? (header === 'authorization' ? undefined : field);
}
