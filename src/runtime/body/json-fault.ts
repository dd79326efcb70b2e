import { isEscaped } from './exact-json.ts';
import { isKept } from './json-number.ts';

/** Names of members that a careless merge would let reach an object's prototype. */
export function isRefusedName(name: string): boolean {
  return name === '__proto__' || name === 'constructor' || name === 'prototype';
}

/** Which numbers a body may have: those that a double holds as they are written, or any. */
export type NumberRule = 'exact' | 'any';

interface JsonFault {
  readonly pointer: string;
  readonly detail: string;
}

/** An object or array that is being read, and the member or item in it. */
interface Level {
  /** Undefined: an array. */
  readonly names: Set<string> | undefined;
  at: string | number;
}

/** How many tokens are looked at: more would hold up other requests, for the sake of a message. */
const mostTokens = 100_000;
const token = /[{}[\],"]|-?[0-9][0-9.eE+-]*/g;

/**
 * The first fault, in the order of the text, of a valid JSON text that has one: a name refused or given twice, or a
 * number that cannot be kept. Slow, and for the message only: where the fault is far from the start, it has no pointer.
 */
export function findFault(text: string, numbers: NumberRule = 'exact'): JsonFault {
  const levels: Level[] = [];
  let expectsName = false;
  for (const part of tokensOf(text)) {
    const level = levels.at(-1);
    if (part === '{' || part === '[') {
      levels.push(part === '{' ? { names: new Set(), at: '' } : { names: undefined, at: 0 });
      expectsName = part === '{';
    } else if (part === '}' || part === ']') {
      levels.pop();
    } else if (part === ',') {
      expectsName = level?.names !== undefined;
      if (typeof level?.at === 'number') level.at += 1;
    } else if (part[0] !== '"') {
      if (numbers === 'exact' && !isKept(part)) return fault(levels, inexact);
    } else if (expectsName && level?.names !== undefined) {
      const name: string = part.includes('\\') ? JSON.parse(part) : part.slice(1, -1);
      expectsName = false;
      level.at = name;
      if (isRefusedName(name)) return fault(levels, `No member may be named ${name}.`);
      if (level.names.has(name)) return fault(levels, `The member ${JSON.stringify(shorten(name))} is there twice.`);
      level.names.add(name);
    }
  }
  return {
    pointer: '',
    detail: 'The body has a member twice, a refused member, or a number that cannot be kept exactly.',
  };
}

/**
 * The first tokens. Not all by one regular expression: it takes a stack for a repetition of escapes, and runs out of it.
 */
function* tokensOf(text: string): Generator<string> {
  let left = mostTokens;
  token.lastIndex = 0;
  for (let match = token.exec(text); match !== null && left > 0; match = token.exec(text)) {
    left -= 1;
    const [part] = match;
    if (part !== '"') {
      yield part;
      continue;
    }
    let end = text.indexOf('"', match.index + 1);
    while (left > 0 && isEscaped(text, end)) {
      left -= 1;
      end = text.indexOf('"', end + 1);
    }
    if (end === -1 || left === 0) return;
    yield text.slice(match.index, end + 1);
    token.lastIndex = end + 1;
  }
}

const inexact =
  'The number cannot be kept exactly. Send it as a string, or let the trigger take it with `body: { fields: free }`.';

function fault(levels: readonly Level[], detail: string): JsonFault {
  const steps = levels.map(({ at }) => shorten(String(at)).replaceAll('~', '~0').replaceAll('/', '~1'));
  return { pointer: steps.map((step) => `/${step}`).join(''), detail };
}

const longestName = 64;

function shorten(name: string): string {
  return (name.length > longestName ? `${name.slice(0, longestName)}…` : name).toWellFormed();
}
