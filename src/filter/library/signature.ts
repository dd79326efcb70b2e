import { EvaluationError } from '../evaluation-error.ts';
import { FunctionValue } from '../value.ts';

/** Checks arguments against a signature, and fills in the context where the signature allows it. */
export type ValidateArguments = (args: unknown[], context: unknown) => unknown[];

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

/** Understands JSONata's signatures (https://docs.jsonata.org/programming#function-signatures), e.g. `<s-nn?:s>`. */
export function parseSignature(signature: string): ValidateArguments {
  const parameters = parametersOf(signature);
  const pattern = new RegExp(`^${parameters.map((parameter) => `(${parameter.pattern})`).join('')}$`);
  return (args, context) => {
    if (fitsAsItIs(parameters, args)) return args;
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
        validated.push(parameter.type === 'a' ? toArray(parameter, symbol, matched, args[next], next) : args[next]);
        next += 1;
      }
    });
    return validated;
  };
}

/** Whether each argument is what the parameter of its place takes, so that nothing is to be converted or filled in. */
function fitsAsItIs(parameters: readonly Parameter[], args: readonly unknown[]): boolean {
  if (args.length > parameters.length) return false;
  for (let index = 0; index < parameters.length; index += 1) {
    const { type, pattern, subtype, contextPattern } = parameters[index] as Parameter;
    if (pattern.endsWith('+')) return false;
    if (index >= args.length) {
      if (contextPattern !== undefined || !pattern.endsWith('?')) return false;
    } else if (!isOfType(type, subtype, args[index])) return false;
  }
  return true;
}

function isOfType(type: string, subtype: string | undefined, value: unknown): boolean {
  switch (type) {
    case 's':
      return typeof value === 'string' || value === undefined;
    case 'n':
      return typeof value === 'number' || value === undefined;
    case 'b':
      return typeof value === 'boolean' || value === undefined;
    case 'a':
      return value === undefined || (subtype === undefined && Array.isArray(value));
    case 'f':
      return value instanceof FunctionValue;
    case 'x':
      return true;
    default:
      return false;
  }
}

function toArray({ subtype }: Parameter, symbol: string, matched: string, arg: unknown, index: number): unknown {
  if (symbol === 'm') return undefined;
  if (subtype !== undefined) {
    const fits = Array.isArray(arg) ? isArrayOf(subtype, arg) : matched === subtype;
    if (!fits) throw new EvaluationError('T0412', { value: arg, index: index + 1, type: namesOfArrays[subtype] });
  }
  return symbol === 'a' ? arg : [arg];
}

function isArrayOf(subtype: string, items: readonly unknown[]): boolean {
  if (items.length === 0) return true;
  return symbolOf(items[0]) === subtype.charAt(0) && items.every((item) => symbolOf(item) === subtype.charAt(0));
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
