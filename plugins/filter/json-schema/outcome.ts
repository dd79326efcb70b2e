import type { ErrorObject } from 'ajv';
import type { FilterResult } from '../../../src/contract/index.ts';

const passed: FilterResult = Object.freeze({ kind: 'passed' });

/** Why a body is not validated whose nesting exceeds the stack. */
export const tooDeep = 'the schema recurses too deeply';

export function resultOf(errors: readonly ErrorObject[] | undefined): FilterResult {
  return errors === undefined ? passed : { kind: 'dropped', reason: describe(errors[0]) };
}

const maxPointerLength = 200;

/** The location and keyword, never a value. A missing member's name comes from the schema, not from the body. */
function describe(error: ErrorObject | undefined): string {
  if (!error) return 'does not satisfy the schema';
  const { instancePath, keyword, params } = error;
  const place = instancePath === '' ? '(root)' : instancePath.slice(0, maxPointerLength);
  const missing: unknown = keyword === 'required' ? params.missingProperty : undefined;
  return missing === undefined ? `${place} ${keyword}` : `${place} ${keyword} ${missing}`;
}
