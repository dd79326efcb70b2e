import { type Document, isMap, isScalar, isSeq, type Node, type Scalar } from 'yaml';
import type { JsonValue } from '../../contract/index.ts';
import { joinPointer } from '../../diagnostics/json-pointer.ts';
import { isExpressionField } from './expression-hint.ts';
import type { LocalProblem } from './local-problem.ts';

export interface YamlValue {
  readonly value: JsonValue;
  readonly problems: readonly LocalProblem[];
}

/** Converts a document to a JSON value, and reports what JSON cannot represent: duplicate fields, odd numbers. */
export function toValue(document: Document): YamlValue {
  const problems: LocalProblem[] = [];
  return { value: convert(document.contents, [], problems), problems };
}

/** @param path the names above the node; a pointer is built from it only for a problem */
function convert(node: unknown, path: (string | number)[], problems: LocalProblem[]): JsonValue {
  if (isScalar(node)) return scalar(node, path, problems);
  if (isSeq<Node>(node)) return node.items.map((item, index) => member(item, index, path, problems));
  if (!isMap<Scalar, Node>(node)) return null;
  const object: Record<string, JsonValue> = {};
  for (const { key, value } of node.items) {
    const name = String(key.value);
    if (Object.hasOwn(object, name)) problems.push(duplicate(name, key));
    if (name === '<<') problems.push(mergeKey(key));
    setOwn(object, name, member(value, name, path, problems));
  }
  return object;
}

function member(node: unknown, name: string | number, path: (string | number)[], problems: LocalProblem[]): JsonValue {
  path.push(name);
  const value = convert(node, path, problems);
  path.pop();
  return value;
}

function setOwn(object: Record<string, JsonValue>, name: string, value: JsonValue): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true });
}

function scalar(node: Scalar, path: readonly (string | number)[], problems: LocalProblem[]): JsonValue {
  const { value } = node;
  if (typeof value === 'string' && isExpressionField(path.at(-1)) && isCutOff(node, value)) {
    problems.push(cutOff(node, path));
  }
  if (typeof value !== 'number') return typeof value === 'string' || typeof value === 'boolean' ? value : null;
  const isExact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
  if (isExact) return value;
  problems.push({
    code: 'bad_number',
    message: 'this number cannot be represented exactly',
    hint: 'Put it in quotes if it is text.',
    pointer: joinPointer('', ...path),
    offset: node.range?.[0] ?? 0,
  });
  return null;
}

/** Whether a comment begins inside a string of an expression: ` #` ends a value that is not in quotes. */
function isCutOff({ type, comment }: Scalar, value: string): boolean {
  if (type !== 'PLAIN' || typeof comment !== 'string') return false;
  const withoutStrings = value.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '');
  return /["']/.test(withoutStrings);
}

function cutOff(node: Scalar, path: readonly (string | number)[]): LocalProblem {
  return {
    code: 'yaml_syntax',
    message: 'the expression is cut off in a string: for YAML, # after a space begins a comment',
    hint: `Put the expression in single quotes, or on the lines after ${path.at(-1)}: |, indented.`,
    pointer: joinPointer('', ...path),
    offset: node.range?.[1] ?? 0,
  };
}

function duplicate(name: string, key: Scalar): LocalProblem {
  const shown = JSON.stringify(name.slice(0, 64));
  return {
    code: 'duplicate_field',
    message: `${shown} appears twice`,
    hint: 'Keep one of them.',
    pointer: '',
    offset: key.range?.[0] ?? 0,
  };
}

function mergeKey(key: Scalar): LocalProblem {
  return {
    code: 'unsupported_yaml',
    message: 'merge keys (`<<`) are not supported',
    hint: 'Write the fields out.',
    pointer: '',
    offset: key.range?.[0] ?? 0,
  };
}
