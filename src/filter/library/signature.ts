import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';
import { FunctionValue } from '../value.ts';

/** Checks arguments against a signature, and fills in the context where the signature allows it. */
export type ValidateArguments = (run: Evaluation, args: unknown[], context: unknown) => unknown[];

interface Parameter {
  readonly type: string;
  pattern: string;
  /** Matches the type of a context that can stand in for the missing argument. */
  contextPattern?: RegExp;
  subtype?: string;
}

const namesOfArrays: Readonly<Record<string, string>> = {
  a: 'arrays',
  b: 'booleans',
  f: 'functions',
  n: 'numbers',
  o: 'objects',
  s: 'strings',
};

/** Returns the argument in the form that the function expects, or `unfit` if its type is wrong. */
export type Converter = (arg: unknown, run: Evaluation) => unknown;

export const unfit = Symbol('unfit');

/** The parsed signature of a function. */
export interface Signature {
  readonly validate: ValidateArguments;
  /** Converters for each argument of a call with `count` arguments; undefined if their parameters are ambiguous. */
  readonly convertersOf: (count: number) => readonly Converter[] | undefined;
}

/** Parses JSONata's signatures (https://docs.jsonata.org/programming#function-signatures), e.g. `<s-nn?:s>`. */
export function parseSignature(signature: string): Signature {
  const parameters = parametersOf(signature);
  const converters = parameters.map(converterOf);
  const pattern = new RegExp(`^${parameters.map((parameter) => `(${parameter.pattern})`).join('')}$`);
  const validate: ValidateArguments = (run, args, context) => {
    const symbols = args.map(symbolOf).join('');
    const match = pattern.exec(symbols);
    if (match === null) throw mismatch(parameters, args, symbols);
    const validated: unknown[] = [];
    let next = 0;
    parameters.forEach((parameter, index) => {
      const matched = match[index + 1] ?? '';
      if (matched === '') {
        if (parameter.contextPattern === undefined) {
          validated.push(args[next]);
          next += 1;
        } else if (parameter.contextPattern.test(symbolOf(context))) {
          validated.push(context);
        } else {
          throw new EvaluationError('T0411', { value: context, index: next + 1 });
        }
        return;
      }
      for (const symbol of matched) {
        validated.push(parameter.type === 'a' ? toArray(run, parameter, symbol, args[next], next) : args[next]);
        next += 1;
      }
    });
    return validated;
  };
  return {
    validate,
    convertersOf(count) {
      const areSure = parameters.every(({ pattern: each, contextPattern }, index) => {
        if (each.endsWith('+')) return false;
        return index < count || (each.endsWith('?') && contextPattern === undefined);
      });
      return areSure && count <= parameters.length ? converters.slice(0, count) : undefined;
    },
  };
}

/** Checks a value's type as the pattern of its parameter does, without building a string. */
function converterOf({ type, subtype }: Parameter): Converter {
  switch (type) {
    case 's':
      return (value) => (typeof value === 'string' || value === undefined ? value : unfit);
    case 'n':
      return (value) => (typeof value === 'number' || value === undefined ? value : unfit);
    case 'a':
      return subtype === undefined ? asArray : (value, run) => asArrayOf(run, subtype, value);
    case 'f':
      return (value) => (value instanceof FunctionValue ? value : unfit);
    case 'x':
      return (value) => value;
    case 'j':
      return (value) => (value instanceof FunctionValue || value === null ? unfit : value);
    default:
      return (value) => (value === undefined || type.includes(symbolOf(value)) ? value : unfit);
  }
}

function asArray(value: unknown): unknown {
  return value === undefined || Array.isArray(value) ? value : [value];
}

function asArrayOf(run: Evaluation, subtype: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return isArrayOf(run, subtype, value) ? value : unfit;
  return symbolOf(value) === subtype ? [value] : unfit;
}

function toArray(run: Evaluation, { subtype }: Parameter, symbol: string, arg: unknown, index: number): unknown {
  if (symbol === 'm') return undefined;
  if (subtype !== undefined) {
    const fits = Array.isArray(arg) ? isArrayOf(run, subtype, arg) : symbol === subtype;
    if (!fits) throw new EvaluationError('T0412', { value: arg, index: index + 1, type: namesOfArrays[subtype] });
  }
  return symbol === 'a' ? arg : [arg];
}

function isArrayOf(run: Evaluation, subtype: string, items: readonly unknown[]): boolean {
  if (items.length > 16) run.spend(items.length / 4);
  const symbol = subtype.charAt(0);
  for (const item of items) {
    if (symbol === 'n' ? typeof item !== 'number' : symbolOf(item) !== symbol) return false;
  }
  return true;
}

function mismatch(parameters: readonly Parameter[], args: readonly unknown[], symbols: string): EvaluationError {
  let partial = '^';
  let goodTo = 0;
  for (const parameter of parameters) {
    partial += parameter.pattern;
    const match = symbols.match(partial);
    if (match === null) break;
    goodTo = match[0].length;
  }
  return new EvaluationError('T0410', { value: args[goodTo], index: goodTo + 1 });
}

function symbolOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 's';
    case 'number':
      return 'n';
    case 'boolean':
      return 'b';
    case 'object':
      if (value === null) return 'l';
      if (Array.isArray(value)) return 'a';
      return value instanceof FunctionValue ? 'f' : 'o';
    default:
      return 'm';
  }
}

function parametersOf(signature: string): Parameter[] {
  const parameters: Parameter[] = [];
  let position = 1;
  while (position < signature.length) {
    const symbol = signature.charAt(position);
    if (symbol === ':') break;
    const previous = parameters.at(-1);
    if ('snblo'.includes(symbol)) parameters.push({ type: symbol, pattern: `[${symbol}m]` });
    else if (symbol === 'a' || symbol === 'x') parameters.push({ type: symbol, pattern: '[asnblfom]' });
    else if (symbol === 'f') parameters.push({ type: symbol, pattern: 'f' });
    else if (symbol === 'j') parameters.push({ type: symbol, pattern: '[asnblom]' });
    else if (symbol === '(') {
      const end = closing(signature, position, '(', ')');
      const choice = signature.substring(position + 1, end);
      parameters.push({ type: `(${choice})`, pattern: `[${choice}m]` });
      position = end;
    } else if (previous !== undefined && symbol === '-') {
      previous.contextPattern = new RegExp(previous.pattern);
      previous.pattern += '?';
    } else if (previous !== undefined && (symbol === '?' || symbol === '+')) {
      previous.pattern += symbol;
    } else if (previous !== undefined && symbol === '<') {
      const end = closing(signature, position, '<', '>');
      previous.subtype = signature.substring(position + 1, end);
      position = end;
    }
    position += 1;
  }
  return parameters;
}

function closing(text: string, start: number, open: string, close: string): number {
  let depth = 1;
  let position = start;
  while (depth > 0 && position < text.length) {
    position += 1;
    if (text.charAt(position) === close) depth -= 1;
    else if (text.charAt(position) === open) depth += 1;
  }
  return position;
}
