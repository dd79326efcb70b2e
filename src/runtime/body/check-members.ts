import { Ajv, type ErrorObject } from 'ajv';
import schema from '../../../schemas/source/trigger-body.schema.json' with { type: 'json' };
import { formatNames, schemaFormats } from '../../schema/formats.ts';

export interface BodyFault {
  /** JSON pointer into the body. */
  readonly pointer: string;
  /** What is expected there; never the value that is. */
  readonly message: string;
}

// One error is enough for the caller, and an untrusted body must not choose how many are collected.
const ajv = new Ajv({ allErrors: false, ownProperties: true, allowUnionTypes: true, formats: schemaFormats });
const validate = ajv.compile(schema);

/** Checks the members of a body that the gateway knows; others pass through. Gives no fault or one. */
export function checkTriggerBody(body: object): readonly BodyFault[] {
  if (validate(body)) return [];
  return (validate.errors ?? [])
    .slice(0, 1)
    .map((error) => ({ pointer: error.instancePath, message: messageOf(error) }));
}

function messageOf({ keyword, params, message }: ErrorObject): string {
  if (keyword === 'format') return `must be ${formatNames.get(String(params.format)) ?? String(params.format)}`;
  if (keyword === 'type') return `must be ${[params.type].flat().join(' or ')}`;
  return message ?? 'is not valid';
}
