import { CST, Lexer } from 'yaml';
import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import { configLimits } from './limits.ts';
import type { LocalProblem } from './local-problem.ts';

export type GuardedYaml =
  | { readonly ok: true; readonly tokens: readonly string[] }
  | { readonly ok: false; readonly problem: LocalProblem };

/**
 * Returns the tokens of a YAML text, and rejects what the composer must never see: nesting that would exhaust the stack,
 * explicit keys, which take quadratic time, and features that config does not allow (anchors, aliases, tags,
 * directives). Reads token by token in bounded memory, so a hostile file can make it neither slow nor deep.
 */
export function guardYaml(text: string): GuardedYaml {
  const depth = new DepthGauge();
  const tokens: string[] = [];
  let offset = 0;
  let documents = 0;
  let isScalar = false;
  for (const token of new Lexer().lex(text)) {
    const type: string | null = isScalar ? 'value' : CST.tokenType(token);
    isScalar = type === 'scalar';
    if (type === 'doc-start') documents += 1;
    const refusal = documents > 1 ? refusals['second-document'] : type === null ? undefined : refusals[type];
    if (refusal) return { ok: false, problem: { ...refusal, pointer: '', offset } };
    if (tokens.push(token) > configLimits.yamlTokens)
      return refuse('yaml_too_long', 'too much YAML for one file', offset);
    depth.take(type, token, offset);
    if (depth.levels > configLimits.yamlDepth)
      return refuse('yaml_too_deep', `more than ${configLimits.yamlDepth} levels of nesting`, offset);
    if (!widthless.has(type ?? '')) offset += token.length;
  }
  return { ok: true, tokens };
}

function refuse(code: DiagnosticCode, message: string, offset: number): GuardedYaml {
  return { ok: false, problem: { code, message, pointer: '', offset } };
}

/** Signals of the lexer that have no text. */
const widthless: ReadonlySet<string> = new Set(['scalar', 'doc-mode', 'flow-error-end']);

const code = 'unsupported_yaml';
const refusals: Readonly<Record<string, Pick<LocalProblem, 'code' | 'message' | 'hint'> | undefined>> = {
  'explicit-key-ind': { code, message: 'explicit keys (`? `) are not supported', hint: 'Write `key: value`.' },
  anchor: { code, message: 'anchors (`&`) are not supported', hint: 'Write the value out, or quote it if it is text.' },
  alias: { code, message: 'aliases (`*`) are not supported', hint: 'Write the value out, or quote it if it is text.' },
  tag: { code, message: 'tags (`!`) are not supported', hint: 'Leave the tag out, or quote the value if it is text.' },
  'directive-line': { code, message: 'directives (`%`) are not supported', hint: 'Leave the line out.' },
  'second-document': { code: 'multiple_documents', message: 'a second document', hint: 'One document per file.' },
};

/** Measures nesting. In invalid YAML it may count a level too many, never one too few. */
class DepthGauge {
  #flowLevels = 0;
  /** Block collections around the token, outermost first. */
  readonly #open: { readonly column: number; readonly isList: boolean }[] = [];
  #lineStart = 0;
  /** Column of the first token of an entry on this line: where its key, if it is one, began. */
  #entryColumn: number | undefined;
  #keysOnLine = 0;

  get levels(): number {
    return this.#open.length + this.#flowLevels + Math.max(this.#keysOnLine - 1, 0);
  }

  take(type: string | null, token: string, offset: number): void {
    const column = offset - this.#lineStart;
    switch (type) {
      case 'flow-map-start':
      case 'flow-seq-start':
        this.#entryColumn ??= column;
        this.#flowLevels += 1;
        break;
      case 'flow-map-end':
      case 'flow-seq-end':
        this.#flowLevels = Math.max(this.#flowLevels - 1, 0);
        break;
      case 'flow-error-end':
        this.#flowLevels = 0;
        break;
      case 'seq-item-ind':
        if (this.#flowLevels === 0) this.#enter(column, true);
        break;
      case 'map-value-ind':
        if (this.#flowLevels > 0) break;
        this.#keysOnLine += 1;
        this.#enter(this.#entryColumn ?? column, false);
        break;
      case 'space':
      case 'comment':
      case 'newline':
      case 'scalar':
      case 'doc-mode':
        break;
      default:
        this.#entryColumn ??= column;
    }
    const newline = token.lastIndexOf('\n');
    if (newline === -1) return;
    this.#lineStart = offset + newline + 1;
    this.#entryColumn = undefined;
    this.#keysOnLine = 0;
  }

  #enter(column: number, isList: boolean): void {
    let top = this.#open.at(-1);
    while (top && (top.column > column || (top.column === column && top.isList && !isList))) {
      this.#open.pop();
      top = this.#open.at(-1);
    }
    if (!top || top.column < column || top.isList !== isList) this.#open.push({ column, isList });
  }
}
