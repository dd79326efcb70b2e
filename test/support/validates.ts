import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import type { Test } from 'tap';
import { outputSchemas } from '../../schemas/generator/output-schemas.ts';

/** Says that a document is as its schema says. */
export function validates(t: Test, name: keyof typeof outputSchemas, document: unknown): void {
  const ajv = new Ajv({ strict: false });
  addFormats.default(ajv);
  const validate = ajv.compile(outputSchemas[name].schema);
  t.ok(validate(document), ajv.errorsText(validate.errors));
}
