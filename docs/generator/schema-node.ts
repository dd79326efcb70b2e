import { stageSchema as sharedSchema } from '../../src/config/document-schemas.ts';

/** What the pages read of a JSON Schema: the part of draft-07 that Pullcord's own schemas use. */
export interface SchemaNode {
  readonly title?: string;
  readonly description?: string;
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
  readonly definitions?: Readonly<Record<string, SchemaNode>>;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minDuration?: string;
  readonly maxDuration?: string;
  readonly minSize?: string;
  readonly maxSize?: string;
}

export const stageSchema: SchemaNode = sharedSchema;

/** The part of the stage schema that a reference means, or undefined for a reference to anything else. */
export function stagePart(reference: string | undefined): SchemaNode | undefined {
  if (reference === sharedSchema.$id) return stageSchema;
  const prefix = `${sharedSchema.$id}#/definitions/`;
  return reference?.startsWith(prefix) ? stageSchema.definitions?.[reference.slice(prefix.length)] : undefined;
}
