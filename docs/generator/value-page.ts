import duration from '../../schemas/source/duration.schema.json' with { type: 'json' };
import secret from '../../schemas/source/secret.schema.json' with { type: 'json' };
import size from '../../schemas/source/size.schema.json' with { type: 'json' };
import { fieldTable } from './field-table.ts';
import { code, page } from './markdown.ts';
import type { SchemaNode } from './schema-node.ts';

/** The sorts of values that are written the same way everywhere. */
export function valuePage(): string {
  return page(
    'schemas/source/',
    '# Durations, sizes and secrets',
    ...section('duration', duration),
    ...section('size', size),
    ...section('secret', secret),
    fieldTable(secret, ''),
  );
}

function section(name: string, { description, examples = [] }: SchemaNode): string[] {
  return [`## ${name}`, description ?? '', `For example: ${examples.map(code).join(', ')}`];
}
