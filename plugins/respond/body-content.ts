import type {
  JsonObject,
  JsonValue,
  MaybePromise,
  OptionsProblem,
  PluginContext,
  WorkBudget,
} from '../../src/contract/index.ts';
import { type Bindings, compileFilter, compileTemplate, ExpressionError, toPlain } from '../../src/filter/index.ts';

/** A `body` of the options, as written. */
export type BodyOption = string | Readonly<Record<string, unknown>>;

/** A compiled body. */
export interface BodyContent {
  /** Names of the variables that it may read, without `$`. */
  readonly variables: ReadonlySet<string>;
  /** Returns undefined for JSONata's "nothing". Throws and rejects as `evaluate` of an expression does. */
  evaluate(outcome: JsonObject, bindings: Bindings | undefined, work: WorkBudget): MaybePromise<JsonValue | undefined>;
}

export interface ContentOptions {
  readonly context: PluginContext;
  /** JSON pointer (RFC 6901) of the option. */
  readonly pointer: string;
  /** Names of all variables. */
  readonly bindings: readonly string[];
}

/** A result may be as long as the output that it is made of; the request pays for it. */
const limits = { timeoutMs: 1_000, maxSequence: 1_000_000 };

type Evaluate = BodyContent['evaluate'];

/**
 * Compiles a body: JSONata, a text with `{{ expression }}` in it, or JSON whose texts may contain them, as YAML or as text.
 * Returns all problems if it cannot be compiled; reports warnings.
 */
export function compileContent(
  body: BodyOption,
  options: ContentOptions,
): BodyContent | { readonly problems: readonly OptionsProblem[] } {
  const compiler = new ContentCompiler(options);
  const evaluate = compiler.content(body);
  if (compiler.problems.length > 0) return { problems: compiler.problems };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { variables: new Set(options.bindings.filter((name) => text.includes(`$${name}`))), evaluate };
}

class ContentCompiler {
  readonly problems: OptionsProblem[] = [];
  readonly #options: ContentOptions;

  constructor(options: ContentOptions) {
    this.#options = options;
  }

  content(body: BodyOption): Evaluate {
    const { pointer } = this.#options;
    // What YAML holds is JSON.
    if (typeof body !== 'string')
      return this.#json(body as JsonObject, (inside) => ({ pointer: pointer + inside, start: 0 }));
    if (!body.includes('{{')) return this.#expression(body);
    const json = jsonIn(body);
    if (json === undefined) return this.#template(body, { pointer, start: 0 });
    // Where it begins in the text, if it is written there without escapes.
    return this.#json(json, (_, text) => ({ pointer, start: body.indexOf(text) }));
  }

  #expression(source: string): Evaluate {
    const { bindings, pointer } = this.#options;
    return this.#compiled({ pointer, start: 0 }, () => {
      const expression = compileFilter(source, { limits, bindings, purpose: 'value' });
      const plain = (value: unknown, work: WorkBudget) => toPlain(value, work) as JsonValue | undefined;
      return {
        warnings: expression.warnings,
        close: () => expression.close(),
        evaluate(outcome, given, work) {
          const value = expression.evaluate(sendable(expression, outcome, work), given, { budget: work });
          return value instanceof Promise ? value.then((settled) => plain(settled, work)) : plain(value, work);
        },
      };
    });
  }

  #template(source: string, place: TextPlace): Evaluate {
    const { bindings } = this.#options;
    return this.#compiled(place, () => {
      const template = compileTemplate(source, { limits, bindings, purpose: 'value' });
      return {
        warnings: template.warnings,
        close: () => template.close(),
        evaluate: (outcome, given, work) => template.render(outcome, given, { budget: work }),
      };
    });
  }

  #compiled(place: TextPlace, compile: () => Compiled): Evaluate {
    const { context } = this.#options;
    try {
      const { warnings, close, evaluate } = compile();
      context.onClose(close);
      for (const warning of warnings) context.report({ severity: 'warning', ...placed(warning, place) });
      return evaluate;
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.problems.push(...error.problems.map((problem) => placed(problem, place)));
      return () => undefined;
    }
  }

  #json(value: JsonValue, placeOf: (inside: string, text: string) => TextPlace, inside = ''): Evaluate {
    if (typeof value === 'string') {
      return value.includes('{{') ? this.#template(value, placeOf(inside, value)) : () => value;
    }
    if (typeof value !== 'object' || value === null) return () => value;
    const parts = Object.entries(value).map(
      ([name, member]) => [name, this.#json(member, placeOf, `${inside}/${segment(name)}`)] as const,
    );
    const isList = Array.isArray(value);
    return (...given) => {
      const members = parts.map(([name, evaluate]) => [name, evaluate(...given)] as const);
      return members.some(([, member]) => member instanceof Promise)
        ? Promise.all(members.map(async ([name, member]) => [name, await member] as const)).then((all) =>
            assembled(all, isList),
          )
        : assembled(members as readonly Member[], isList);
    };
  }
}

interface Compiled {
  readonly warnings: ExpressionError['problems'];
  close(): Promise<void>;
  readonly evaluate: Evaluate;
}

/** Where a text begins: in the string at a pointer; -1 if that is not known. */
interface TextPlace {
  readonly pointer: string;
  readonly start: number;
}

function placed({ offset, ...problem }: ExpressionError['problems'][number], { pointer, start }: TextPlace) {
  return { pointer, ...problem, ...(offset !== undefined && start >= 0 && { offset: offset + start }) };
}

type Member = readonly [name: string, value: JsonValue | undefined];

function assembled(members: readonly Member[], isList: boolean): JsonValue {
  return isList ? members.map(([, value = null]) => value) : (Object.fromEntries(members) as JsonObject);
}

function jsonIn(text: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function segment(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** What is sent to another process is measured, and paid for, before it is written. */
function sendable({ mode }: { readonly mode: string }, outcome: JsonObject, work: WorkBudget): unknown {
  return mode === 'isolated' ? toPlain(outcome, work) : outcome;
}
