import { hash } from 'node:crypto';
import type { StageUse } from '../config/model.ts';
import { pointerSegments } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { deepFreeze } from '../schema/deep-freeze.ts';
import type { SchemaValidator } from '../schema/validator.ts';
import { resolveSecret } from './secrets.ts';

export interface GoodOptions {
  readonly ok: true;
  /** Frozen. */
  readonly options: unknown;
  /** The same with each secret as its reference. Frozen. */
  readonly unresolved: unknown;
  /** Equal options have equal digests. A hash, since options contain resolved secrets. */
  readonly digest: string;
  readonly hasSecrets: boolean;
  /** As resolved. */
  readonly secrets: readonly string[];
}

export type ResolvedOptions = GoodOptions | BadOptions;

export interface BadOptions {
  readonly ok: false;
  readonly problems: readonly Problem[];
  /** As in `GoodOptions` if only secrets are missing; undefined if the options do not meet the schema. */
  readonly unresolved: unknown;
}

/** Options of unchanged files that are valid, for the next reload. Secrets are read each time. */
const known = new WeakMap<SchemaValidator<unknown>, WeakMap<object, GoodOptions>>();

/** Checks `with:` against the plugin's schema, fills in defaults, converts durations and sizes, and reads secrets. */
export async function resolveOptions(schema: SchemaValidator<unknown>, use: StageUse): Promise<ResolvedOptions> {
  const knownOfSchema = known.get(schema) ?? new WeakMap<object, GoodOptions>();
  known.set(schema, knownOfSchema);
  const before = knownOfSchema.get(use.with);
  if (before !== undefined) return before;
  const resolved = await resolveAnew(schema, use);
  if (resolved.ok && !resolved.hasSecrets) knownOfSchema.set(use.with, resolved);
  return resolved;
}

async function resolveAnew(schema: SchemaValidator<unknown>, use: StageUse): Promise<ResolvedOptions> {
  const validated = schema.validate(use.with);
  if (!validated.ok) {
    return {
      ok: false,
      unresolved: undefined,
      problems: validated.problems.map(({ pointer, atName, ...rest }) => ({
        ...rest,
        severity: 'error',
        place: { ...use.optionPlaces(pointer), ...(atName && { atName }) },
      })),
    };
  }
  const problems: Problem[] = [];
  const unresolved = deepFreeze(validated.value);
  const hasSecrets = validated.secrets.length > 0;
  const values: string[] = [];
  const options = hasSecrets ? structuredClone(unresolved) : unresolved;
  for (const { pointer, reference } of validated.secrets) {
    const secret = await resolveSecret(reference, use.folder);
    if (secret.ok) {
      values.push(secret.value);
      replaceAt(options, pointer, secret.value);
    } else
      problems.push({
        code: 'missing_secret',
        severity: 'error',
        message: secret.message,
        place: use.optionPlaces(pointer),
      });
  }
  if (problems.length > 0) return { ok: false, unresolved, problems };
  const digest = hash('sha256', JSON.stringify(options));
  return { ok: true, options: deepFreeze(options), unresolved, digest, hasSecrets, secrets: values };
}

/** Sets the existing member at a pointer; the options are the host's own copy. */
function replaceAt(root: unknown, pointer: string, value: unknown): void {
  const names = [...pointerSegments(pointer)];
  const last = names.pop();
  const parent = names.reduce<unknown>((node, name) => Reflect.get(Object(node), name), root);
  if (last !== undefined) Reflect.set(Object(parent), last, value);
}
