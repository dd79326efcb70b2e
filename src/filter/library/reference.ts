import jsonata from 'jsonata';

/** A built-in function as the reference defines it. */
export interface ReferenceFunction {
  readonly signature: string;
  readonly arity: number;
  readonly call: (...args: unknown[]) => unknown;
}

const names = [
  ...['sum', 'count', 'max', 'min', 'average', 'string', 'substring', 'substringBefore', 'substringAfter'],
  ...['lowercase', 'uppercase', 'length', 'trim', 'pad', 'match', 'contains', 'replace', 'split', 'join'],
  ...['formatNumber', 'formatBase', 'formatInteger', 'parseInteger', 'number', 'floor', 'ceil', 'round', 'abs'],
  ...['sqrt', 'power', 'random', 'boolean', 'not', 'map', 'zip', 'filter', 'single', 'reduce', 'sift', 'keys'],
  ...['lookup', 'append', 'exists', 'spread', 'merge', 'reverse', 'each', 'error', 'assert', 'type', 'sort'],
  ...['shuffle', 'distinct', 'base64encode', 'base64decode', 'encodeUrlComponent', 'encodeUrl'],
  ...['decodeUrlComponent', 'decodeUrl', 'toMillis', 'fromMillis', 'clone', 'now', 'millis'],
] as const;
export type BuiltInName = (typeof names)[number];

/**
 * The reference's built-ins: their signatures, and the functions themselves where they are synchronous and fast.
 * The package does not export them, but an expression that names one returns it.
 */
export const reference: Readonly<Record<BuiltInName, ReferenceFunction>> = await load();

interface Definition {
  readonly implementation: (...args: unknown[]) => unknown;
  readonly signature: { readonly definition: string };
}

async function load(): Promise<Record<BuiltInName, ReferenceFunction>> {
  const list = jsonata(`[${names.map((name) => `$${name}`).join(', ')}]`);
  const definitions: readonly Definition[] = await list.evaluate(undefined);
  const entries = definitions.map((definition, index) => [names[index], functionOf(definition)]);
  return Object.fromEntries(entries) as Record<BuiltInName, ReferenceFunction>;
}

function functionOf({ implementation, signature }: Definition): ReferenceFunction {
  return {
    signature: signature.definition,
    arity: implementation.length,
    call: (...args) => Reflect.apply(implementation, undefined, args),
  };
}
