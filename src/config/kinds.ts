import type { JsonValue } from '../contract/index.ts';
import { closest } from '../diagnostics/closest.ts';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import { shareSchema } from '../schema/compiler.ts';
import { compileSoundSchema } from '../schema/validator.ts';
import { documentSchemas, stageSchema } from './document-schemas.ts';
import type { ConfigDocument } from './documents.gen.ts';
import type { LocalProblem } from './yaml/local-problem.ts';

/** Every `kind` of config file. */
export const kinds = ['Gateway', 'ApiKey', 'Project', 'Trigger', 'TriggerTest', 'AlertTest', 'Prices'] as const;
export type Kind = (typeof kinds)[number];

/** The version of the config format that this gateway reads. */
const supportedVersion = 1;

export type CheckedDocument =
  | { readonly ok: true; readonly document: ConfigDocument }
  | { readonly ok: false; readonly problems: readonly LocalProblem[] };

/** Checks a parsed file against the schema of its kind. Fills in defaults. */
export function checkDocument(value: JsonValue): CheckedDocument {
  if (!isObject(value))
    return refuse('wrong_type', '', 'a config file must be an object', 'Begin with version and kind.');
  const { kind, version } = value;
  const known = `Kinds are ${kinds.join(', ')}.`;
  if (kind === undefined) return refuse('missing_kind', '/kind', '"kind" is missing', known);
  if (!isKind(kind)) {
    const meant = typeof kind === 'string' && kind.length <= 64 ? closest(kind, kinds) : undefined;
    return refuse('unknown_kind', '/kind', 'unknown kind', meant === undefined ? known : `Did you mean "${meant}"?`);
  }
  if (version !== undefined && version !== supportedVersion) {
    const hint = version === String(supportedVersion) ? 'Write it without quotes.' : undefined;
    const message = `this gateway supports only version ${supportedVersion} of the config format`;
    return refuse('unsupported_version', '/version', message, hint);
  }
  const validated = validatorOf(kind).validate(value);
  return validated.ok ? { ok: true, document: validated.value } : { ok: false, problems: validated.problems };
}

type Validator = ReturnType<typeof compileSoundSchema<ConfigDocument>>;
const compiled = new Map<Kind, Validator>();

shareSchema(stageSchema);
// As schemas of their own they are compiled once, not once per kind that refers to them.
for (const [name, definition] of Object.entries(stageSchema.definitions))
  shareSchema(definition, `${stageSchema.$id}#/definitions/${name}`);

/** Compiling takes longer than reading a small config, so each schema is compiled on first use. */
function validatorOf(kind: Kind): Validator {
  const validator = compiled.get(kind) ?? compileSoundSchema<ConfigDocument>(documentSchemas[kind]);
  compiled.set(kind, validator);
  return validator;
}

function refuse(code: DiagnosticCode, pointer: string, message: string, hint: string | undefined): CheckedDocument {
  return { ok: false, problems: [{ code, pointer, message, ...(hint !== undefined && { hint }) }] };
}

export function isKind(value: unknown): value is Kind {
  return kinds.some((kind) => kind === value);
}

function isObject(value: JsonValue): value is { readonly [name: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
