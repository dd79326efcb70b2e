import type { BindingShape } from '../../../src/filter/index.ts';
import { type Readable, requestShapes, requestVariables } from '../../request-bindings.ts';

/** The variables that a filter may read in addition to the body, by name without `$`. */
export const variables = {
  ...requestVariables,
  // The original name of `caller`, kept for compatibility: a caller need not have an API key.
  key: requestVariables.caller,
} as const;

/** What these variables have. */
export function shapesOf(readable: Readable): Readonly<Record<keyof typeof variables, BindingShape>> {
  const shapes = requestShapes(readable);
  return { ...shapes, key: shapes.caller };
}
