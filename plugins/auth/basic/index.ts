import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  type AuthPlugin,
  type AuthPluginContext,
  type AuthVerdict,
  OptionsError,
  type OptionsProblem,
  type Principal,
} from '../../../src/contract/index.ts';
import { unknownProjects } from '../unknown-projects.ts';
import { abstained, rejected } from '../verdicts.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

export default {
  contract: 'v1',
  stage: 'auth',
  name: 'basic',
  summary: 'Knows a caller by name and password, as HTTP Basic carries them. Only behind TLS.',
  optionsSchema: schema,
  review: () => ({ callers: { kind: 'holders', prefix: 'basic:' } }),
  create(context, { users }) {
    checkUsers(context, users);
    const entries = new Map(users.map((user) => [digestOf(user.name).toString('hex'), entryOf(user)]));
    return {
      credentials: { headers: ['authorization'] },
      authenticate({ headers: { authorization } }) {
        if (typeof authorization !== 'string' || !/^basic(?: |$)/i.test(authorization)) return abstained;
        const shown = parseCredentials(authorization.slice('basic '.length));
        if (shown === undefined) return malformed;
        // As with API keys, the look-up uses a digest, and an unknown name takes the same steps.
        const entry = entries.get(digestOf(shown.name).toString('hex')) ?? nobody;
        const password = digestOf(shown.password);
        let isGood = false;
        for (const digest of entry.digests) isGood = timingSafeEqual(digest, password) || isGood;
        return isGood ? entry.verdict : unknown;
      },
    };
  },
} satisfies AuthPlugin<Options>;

type User = Options['users'][number];

interface Entry {
  readonly digests: readonly Buffer[];
  readonly verdict: AuthVerdict;
}

const malformed = rejected('malformed name and password');
const unknown = rejected('unknown name or wrong password');

/** No password has this digest. */
const nobody: Entry = { digests: [randomBytes(32)], verdict: unknown };

function entryOf({ name, passwords, projects, permissions }: User): Entry {
  const principal: Principal = Object.freeze({
    id: `basic:${name}`,
    permissions: new Set(permissions),
    projects: projects.includes('*') ? 'all' : new Set(projects),
  });
  return {
    digests: passwords.map(digestOf),
    verdict: Object.freeze({ kind: 'authenticated', principal }),
  };
}

/** The order of two users with the same name must not decide which one a caller is. */
function checkUsers(context: AuthPluginContext, users: readonly User[]): void {
  const names = users.map(({ name }) => name);
  const problems: OptionsProblem[] = names.flatMap((name, index) =>
    names.indexOf(name) === index ? [] : [{ pointer: `/users/${index}/name`, message: 'another user has this name' }],
  );
  problems.push(
    ...users.flatMap(({ projects }, index) => unknownProjects(context, projects, `/users/${index}/projects`)),
  );
  if (problems.length > 0) throw new OptionsError(problems);
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;
const longest = 2048;

/** RFC 7617 §2: the part before the first colon is the name. */
function parseCredentials(text: string): { readonly name: Buffer; readonly password: Buffer } | undefined {
  const token = text.trim();
  if (token.length > longest || !base64.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64');
  const colon = bytes.indexOf(':');
  return colon === -1 ? undefined : { name: bytes.subarray(0, colon), password: bytes.subarray(colon + 1) };
}

function digestOf(value: string | Buffer): Buffer {
  return hash('sha256', value, 'buffer');
}
