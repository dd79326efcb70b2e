import { _, type Ajv, type KeywordCxt } from 'ajv';
import { UniqueItems } from './unique-items.ts';

/**
 * Replaces the code that ajv generates for keywords that take quadratic time. Keywords keep their places in the order of
 * evaluation, so that the same failure is the first.
 * @returns a function to call after each evaluation
 */
export function replaceQuadraticKeywords(ajv: Ajv): () => void {
  const unique = new UniqueItems();
  const hasDuplicates = (items: readonly unknown[]) => unique.hasDuplicates(items);
  replace(ajv, 'uniqueItems', (cxt) => {
    if (cxt.schema !== true) return;
    cxt.setParams({ i: 0, j: 0 });
    const check = cxt.gen.scopeValue('func', { ref: hasDuplicates });
    cxt.fail(_`${check}(${cxt.data})`);
  });
  replace(ajv, 'contains', (cxt, generate) => {
    keepFirstError(cxt);
    generate(cxt);
  });
  return () => unique.clear();
}

function replace(ajv: Ajv, keyword: string, by: (cxt: KeywordCxt, generate: (cxt: KeywordCxt) => void) => void): void {
  const rule = ajv.RULES.all[keyword];
  if (typeof rule !== 'object' || !('code' in rule.definition)) throw new Error(`ajv does not generate ${keyword}`);
  const { definition } = rule;
  rule.definition = { ...definition, code: (cxt) => by(cxt, definition.code) };
}

/** Ajv collects the errors of all items, and copies those of the earlier ones for each that fails by reference. */
function keepFirstError(cxt: KeywordCxt): void {
  const { gen, errsCount } = cxt;
  const apply = cxt.subschema.bind(cxt);
  cxt.subschema = (applied, valid) => {
    const subschema = apply(applied, valid);
    // The names of ajv's own variables in generated code.
    gen.if(_`errors > ${errsCount} + 1`, () => gen.code(_`errors = ${errsCount} + 1; vErrors.length = errors`));
    return subschema;
  };
}
