import { randomUUID } from 'node:crypto';
import {
  type AuthPlugin,
  type AuthPluginContext,
  OptionsError,
  type Principal,
  principalOfToken,
  tokenPrefix,
} from '../../../src/contract/index.ts';
import { presentedKey } from '../presented-key.ts';
import { abstained, rejected } from '../verdicts.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { proofOfWork } from './proof-of-work.ts';

export default {
  contract: 'v1',
  stage: 'auth',
  name: 'visitor',
  summary:
    'Lets in visitors of pages without a sign-in: a page earns a short-lived token by proof of work, without a third party.',
  optionsSchema: schema,
  review: ({ id }) => ({ callers: { kind: 'holders', prefix: String(id), isPublic: true } }),
  create(context, options) {
    refuseIdOfKey(context, options.id);
    const { tokens } = context;
    return {
      credentials: { headers: [header, 'authorization'] },
      authenticate(request) {
        const presented = presentedKey(request, header);
        if (presented.kind !== 'key' || !presented.key.startsWith(tokenPrefix)) return abstained;
        const claims = tokens?.verify(presented.key);
        if (claims === undefined) return unknown;
        // A key has issued it, which the api-key plugin knows.
        if (claims.secretId !== undefined) return abstained;
        return { kind: 'authenticated', principal: principalOfToken(visitorOf(claims.key), claims) };
      },
      // Without secrets nobody is served, and no challenge outlives the instance.
      visitors: proofOfWork(options, tokens?.secretsFor('visitor challenge') ?? [randomUUID()]),
    };
  },
} satisfies AuthPlugin<Options>;

const header = 'x-api-key';
const unknown = rejected('unknown token');

/** What a visitor may do is what its token allows: it narrows this caller to one trigger, one origin and one session. */
function visitorOf(id: string): Principal {
  return { id, permissions: none, projects: 'all' };
}

const none: Principal['permissions'] = new Set();

/** Runs and conversations belong to ids of callers: a visitor must not share those of a key. */
function refuseIdOfKey({ apiKeys }: AuthPluginContext, id: string): void {
  if (!apiKeys.some((key) => key.id === id)) return;
  const message = `an API key has the id ${id}, and visitors must not share its runs`;
  throw new OptionsError([{ pointer: '/id', message, hint: 'Choose an id that no API key has.' }]);
}
