import type { UnrecordedPart } from '../../../src/contract/index.ts';
import type { FilterExpression } from '../../../src/filter/index.ts';
import type { Options } from './options.gen.ts';

export function readsAddress({ variables }: FilterExpression, source: string): boolean {
  return variables.has('request') && mayRead(source, 'request', 'ip');
}

/** What it reads that is not recorded. Claims only if some are available to it. */
export function unrecordedParts(
  { variables }: FilterExpression,
  { expression, claims }: Pick<Options, 'expression' | 'claims'>,
): readonly UnrecordedPart[] {
  const readsClaims = (name: string) => variables.has(name) && mayRead(expression, name, 'claims');
  return [
    ...(variables.has('request') && mayRead(expression, 'request', 'query') ? (['query'] as const) : []),
    ...(variables.has('event') ? (['event'] as const) : []),
    ...(claims.length > 0 && (readsClaims('caller') || readsClaims('key')) ? (['claims'] as const) : []),
  ];
}

/** Unless the variable is only used to read another member of it. */
function mayRead(source: string, variable: string, member: string): boolean {
  return new RegExp(`\\b${member}\\b|[$]${variable}(?!\\s*\\.\\s*[A-Za-z])`).test(source);
}
