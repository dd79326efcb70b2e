import type { StageUse } from '../config/model.ts';
import type { SchemaValidator } from '../config/schema-validator.ts';
import { pointerSegments } from '../diagnostics/json-pointer.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { resolveSecret } from './secrets.ts';

export type ResolvedOptions =
  | { readonly ok: true; readonly options: unknown; readonly hasSecrets: boolean }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Checks `with:` against the plugin's schema, fills in defaults, converts durations and sizes, and reads secrets. */
export async function resolveOptions(schema: SchemaValidator<unknown>, use: StageUse): Promise<ResolvedOptions> {
  const validated = schema.validate(use.with);
  if (!validated.ok) {
    return {
      ok: false,
      problems: validated.problems.map(({ pointer, atName, ...rest }) => ({
        ...rest,
        severity: 'error',
        place: { ...use.optionPlaces(pointer), ...(atName && { atName }) },
      })),
    };
  }
  const problems: Problem[] = [];
  const options = validated.value;
  for (const { pointer, reference } of validated.secrets) {
    const secret = await resolveSecret(reference, use.folder);
    if (secret.ok) replaceAt(options, pointer, secret.value);
    else
      problems.push({
        code: 'missing_secret',
        severity: 'error',
        message: secret.message,
        place: use.optionPlaces(pointer),
      });
  }
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, options, hasSecrets: validated.secrets.length > 0 };
}

/** Sets the member at a pointer of a value that has it; the options are this host's own copy. */
function replaceAt(root: unknown, pointer: string, value: unknown): void {
  const names = [...pointerSegments(pointer)];
  const last = names.pop();
  const parent = names.reduce<unknown>((node, name) => Reflect.get(Object(node), name), root);
  if (last !== undefined) Reflect.set(Object(parent), last, value);
}
