import jsonata from 'jsonata';
import { OptionsError, type OptionsProblem } from '../../../src/contract/index.ts';
import type { CompileRegExp } from './linear-regexp.ts';

const pointer = '/expression';

/** Parses the expression; throws an OptionsError with the place if it is not JSONata. */
export function parse(text: string, options: jsonata.JsonataOptions = {}): jsonata.Expression {
  try {
    return jsonata(text, options);
  } catch (error) {
    throw new OptionsError([{ pointer, ...describeParseError(text, error) }]);
  }
}

/** Throws an OptionsError that tells all that the gateway does not allow in an expression, or cannot run. */
export function checkSyntax(text: string, compile: CompileRegExp): void {
  const problems: OptionsProblem[] = [];
  for (const node of nodesOf(parse(text).ast())) {
    if (node.type === 'variable' && node.value === 'eval') {
      problems.push({
        pointer,
        message: '$eval is not allowed: it would run text from a request',
        ...offsetOfToken(text, node.position, '$eval'),
      });
    } else if (node.value instanceof RegExp) {
      problems.push(...checkRegExp(text, node.value, node.position, compile));
    }
  }
  if (problems.length > 0) throw new OptionsError(problems);
}

function checkRegExp(text: string, regexp: RegExp, position: unknown, compile: CompileRegExp): OptionsProblem[] {
  try {
    compile(regexp);
    return [];
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'unknown reason';
    return [
      {
        pointer,
        message: `the regular expression is not one of RE2: ${reason}`,
        hint: 'RE2 has no look-around, no back references, and counts up to 1000.',
        ...offsetOfLiteral(text, regexp, position),
      },
    ];
  }
}

type ParseFault = Pick<OptionsProblem, 'message' | 'offset'>;

function describeParseError(text: string, error: unknown): ParseFault {
  if (error instanceof RangeError) return { message: 'the expression is nested too deeply' };
  if (typeof error !== 'object' || error === null || !('message' in error)) {
    return { message: 'the expression is not valid JSONata' };
  }
  const message = String(error.message);
  if (error instanceof SyntaxError) return { message, ...offsetOfRegExp(text, message) };
  const position = 'position' in error ? error.position : undefined;
  const token = 'token' in error ? String(error.token) : '';
  return { message, ...offsetOfToken(text, position, token) };
}

/** JSONata's positions are where a token ends. Gives where it starts, if it stands there as it is. */
function offsetOfToken(text: string, position: unknown, token: string): { offset?: number } {
  if (typeof position !== 'number') return {};
  const start = position - token.length;
  const offset = text.startsWith(token, start) ? start : position;
  return { offset: Math.max(0, Math.min(offset, text.length)) };
}

/** The source may be spelled another way than in the text, e.g. a line break; then the end has to do. */
function offsetOfLiteral(text: string, regexp: RegExp, position: unknown): { offset?: number } {
  if (typeof position !== 'number') return {};
  // JSONata adds the flag g; the slashes are not part of the source.
  const start = position - (regexp.source.length + 2 + regexp.flags.length - 1);
  return { offset: text[start] === '/' ? start : position };
}

/** A regular expression that JavaScript refuses comes as its SyntaxError, which shows the literal but no place. */
function offsetOfRegExp(text: string, message: string): { offset?: number } {
  const literal = /^Invalid regular expression: (\/.*\/)[a-z]*: /s.exec(message)?.[1];
  const offset = literal === undefined ? -1 : text.indexOf(literal);
  return offset < 0 ? {} : { offset };
}

interface Node {
  readonly type?: unknown;
  readonly value?: unknown;
  readonly position?: unknown;
}

/** Every node of a syntax tree, whatever the member that it hangs on. */
function* nodesOf(root: object): Generator<Node> {
  const seen = new Set<unknown>();
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    yield value;
    pending.push(...Object.values(value));
  }
}
