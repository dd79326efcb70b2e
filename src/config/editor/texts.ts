import { stringify } from 'yaml';
import { isRecord, type Json } from './json.ts';

/** `NamedFilterDocument`, the name of a type of ours, is `Named filter` where people read it. */
export function titleForPeople(title: string): string {
  return title.replace(/(?<!^)Document$/, '').replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** Joins texts, and ends with the first example that `scalarExamples` leaves out. */
export function describe(texts: readonly (Json | undefined)[], examples: Json | undefined): string {
  const example = Array.isArray(examples) ? examples.find((one) => !isOffered(one)) : undefined;
  const words = example === undefined ? [] : [`For example: ${inFlow(example)}`];
  return [...texts.filter((text) => typeof text === 'string'), ...words].join('\n\n');
}

/** An editor offers examples as values, and cannot make good text of objects: those are told in words. */
export function scalarExamples(examples: Json): Json | undefined {
  if (!Array.isArray(examples)) return undefined;
  const offered = examples.filter(isOffered);
  return offered.length === 0 ? undefined : offered;
}

/** An editor would write out a default that is empty, which is never what its author is about to do. */
export function isUsefulDefault(value: Json): boolean {
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}

function isOffered(example: Json): boolean {
  return Array.isArray(example) ? !example.some(isRecord) : !isRecord(example);
}

function inFlow(example: Json): string {
  return stringify(example, { collectionStyle: 'flow', lineWidth: 0 }).trim();
}
