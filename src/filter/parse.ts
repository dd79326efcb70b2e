import jsonata from 'jsonata';
import { syntaxHint } from './advice/syntax-hint.ts';
import { ExpressionError, type ExpressionProblem } from './expression-error.ts';
import { type Node, nodesOf } from './node.ts';
import { UnusableRegExp } from './regexp/unusable-regexp.ts';
import { regularExpressionOf } from './regular-expression.ts';
import { repetitionProblem } from './repetition.ts';

/** Parses an expression; throws an ExpressionError with all problems that make it unusable. */
export function parse(source: string): { readonly root: Node; readonly nodes: readonly Node[] } {
  const repetition = repetitionProblem(source);
  if (repetition !== undefined) throw new ExpressionError([repetition]);
  const root = parseSyntax(source);
  const nodes = nodesOf(root);
  const problems: ExpressionProblem[] = [];
  for (const node of nodes) {
    const problem = problemOf(source, node);
    if (problem !== undefined) problems.push(problem);
  }
  if (problems.length > 0) throw new ExpressionError(problems);
  return { root, nodes };
}

function parseSyntax(source: string): Node {
  try {
    return jsonata(source).ast() as unknown as Node;
  } catch (error) {
    throw new ExpressionError([describeParseError(source, error)]);
  }
}

function problemOf(source: string, node: Node): ExpressionProblem | undefined {
  if (node.type === 'variable' && node.value === 'eval') {
    return {
      message: '$eval is not allowed: it would run text from a request',
      ...offsetOfToken(source, node.position, '$eval'),
    };
  }
  return node.value instanceof RegExp ? problemOfRegExp(source, node.value, node.position) : undefined;
}

function problemOfRegExp(source: string, regexp: RegExp, position: unknown): ExpressionProblem | undefined {
  try {
    regularExpressionOf(regexp);
    return undefined;
  } catch (error) {
    if (!(error instanceof UnusableRegExp)) throw error;
    return {
      message: `the regular expression cannot be matched in linear time, as by RE2: ${error.message}`,
      hint: 'There is no look-around and no back reference, and repetition counts are limited to 1000.',
      ...offsetOfLiteral(source, regexp, position),
    };
  }
}

function describeParseError(source: string, error: unknown): ExpressionProblem {
  if (error instanceof RangeError) return { message: 'the expression is nested too deeply' };
  if (typeof error !== 'object' || error === null || !('message' in error)) {
    return { message: 'the expression is not valid JSONata' };
  }
  const message = String(error.message);
  if (error instanceof SyntaxError) return { message, ...offsetOfRegExp(source, message) };
  const position = 'position' in error ? error.position : undefined;
  const token = 'token' in error ? String(error.token) : '';
  const code = 'code' in error ? String(error.code) : '';
  const place = offsetOfToken(source, position, asWritten(source, position, token));
  // Without a position it is at the end, or concerns the whole.
  const hint = syntaxHint(source, { code, token, offset: place.offset ?? source.length });
  return { message, ...(hint !== undefined && { hint }), ...place };
}

/** The token of a variable lacks its `$`. */
function asWritten(source: string, position: unknown, token: string): string {
  const variable = `$${token}`;
  return typeof position === 'number' && source.endsWith(variable, position) ? variable : token;
}

/** JSONata's positions are the end of a token. Returns its start if the source has that token there verbatim. */
export function offsetOfToken(source: string, position: unknown, token: string): { offset?: number } {
  if (typeof position !== 'number') return {};
  const start = position - token.length;
  const offset = source.startsWith(token, start) ? start : position;
  return { offset: Math.max(0, Math.min(offset, source.length)) };
}

/** RegExp.source may differ from the written literal, e.g. in a line break; then the end position is used. */
function offsetOfLiteral(source: string, regexp: RegExp, position: unknown): { offset?: number } {
  if (typeof position !== 'number') return {};
  // JSONata adds the flag g; RegExp.source excludes the slashes.
  const start = position - (regexp.source.length + 2 + regexp.flags.length - 1);
  return { offset: source[start] === '/' ? start : position };
}

/** A regular expression that JavaScript rejects throws a SyntaxError, which has the literal but no position. */
function offsetOfRegExp(source: string, message: string): { offset?: number } {
  const literal = /^Invalid regular expression: (\/.*\/)[a-z]*: /s.exec(message)?.[1];
  const offset = literal === undefined ? -1 : source.indexOf(literal);
  return offset < 0 ? {} : { offset };
}
