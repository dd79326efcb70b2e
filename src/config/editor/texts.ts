import { stringify } from 'yaml';
import { isRecord, type Json } from './json.ts';

/** `NamedFilterDocument`, the name of a type, becomes `Named filter` for people. */
export function titleForPeople(title: string): string {
  return title.replace(/(?<!^)Document$/, '').replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** Joins texts and appends the first example that `scalarExamples` omits. */
export function describe(texts: readonly (Json | undefined)[], examples: Json | undefined): string {
  const example = Array.isArray(examples) ? examples.find((one) => !isOffered(one)) : undefined;
  const words = example === undefined ? [] : [`For example: ${inFlow(example)}`];
  return [...texts.filter((text) => typeof text === 'string'), ...words].join('\n\n');
}

/** Editors offer examples as values, but format objects badly: those are shown in the description. */
export function scalarExamples(examples: Json): Json | undefined {
  if (!Array.isArray(examples)) return undefined;
  const offered = examples.filter(isOffered);
  return offered.length === 0 ? undefined : offered;
}

/** Editors would insert an empty default, which nobody wants to write. */
export function isUsefulDefault(value: Json): boolean {
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}

function isOffered(example: Json): boolean {
  return Array.isArray(example) ? !example.some(isRecord) : !isRecord(example);
}

function inFlow(example: Json): string {
  return stringify(example, { collectionStyle: 'flow', lineWidth: 0 }).trim();
}
