import type { JsonValue } from '../../contract/index.ts';
import { decode } from './decode.ts';
import { composeTokens } from './document.ts';
import { expressionHint } from './expression-hint.ts';
import { guardYaml } from './guard.ts';
import { configLimits } from './limits.ts';
import type { LocalProblem } from './local-problem.ts';
import { toValue } from './value.ts';

const mostProblems = 20;
/** After a few syntax errors, further ones are mostly their consequence. */
const mostSyntaxProblems = 3;

export type Parsed =
  | { readonly ok: true; readonly text: string; readonly value: JsonValue }
  /** The offsets of the problems count from the start of the text. */
  | { readonly ok: false; readonly text: string; readonly problems: readonly LocalProblem[] };

/** Parses the bytes of a config file. Never throws; takes bounded time for any input. */
export function parseYaml(bytes: Uint8Array): Parsed {
  if (bytes.byteLength > configLimits.bytesPerFile) return { ok: false, text: '', problems: [tooLarge()] };
  const { text, problem } = decode(bytes);
  if (problem) return { ok: false, text, problems: [problem] };
  const guarded = guardYaml(text);
  if (!guarded.ok) return { ok: false, text, problems: [withExpressionHint(guarded.problem, text)] };
  try {
    return parseTokens(text, guarded.tokens);
  } catch {
    // No input is known to get here; one that does is a faulty file and must not stop the gateway.
    return { ok: false, text, problems: [syntax('the file cannot be read as YAML', 0)] };
  }
}

/** The problem of a file above the limit `configLimits.bytesPerFile`. */
export function tooLarge(): LocalProblem {
  const message = `the file is larger than ${configLimits.bytesPerFile / 1024} KiB`;
  return { code: 'file_too_large', message, pointer: '' };
}

function parseTokens(text: string, tokens: readonly string[]): Parsed {
  const document = composeTokens(tokens, text.length);
  const faults = [...document.errors, ...document.warnings].slice(0, mostSyntaxProblems);
  if (faults.length > 0)
    return { ok: false, text, problems: faults.map((one) => withExpressionHint(fault(one), text)) };
  if (document.contents === null || document.contents.range?.[0] === document.contents.range?.[1])
    return { ok: false, text, problems: [empty()] };
  const { value, problems } = toValue(document);
  return problems.length > 0
    ? { ok: false, text, problems: problems.slice(0, mostProblems) }
    : { ok: true, text, value };
}

function fault({ code, message, pos }: { code: string; message: string; pos: [number, number] }): LocalProblem {
  if (code === 'MULTIPLE_DOCS')
    return { ...syntax('a second document', pos[0]), code: 'multiple_documents', hint: 'One document per file.' };
  if (code === 'NON_STRING_KEY') return syntax('a field name must be text', pos[0]);
  // Some of yaml's messages end with the faulty text, which may be a secret.
  const words = message
    .split('\n')[0]
    ?.replace(/^(Not a YAML token|Invalid escape sequence|Source contains.*?): .*/, '$1');
  const problem = syntax(words ?? code, pos[0]);
  return /\bflow\b/i.test(words ?? '') ? { ...problem, hint: quoting } : problem;
}

/** In an expression, a hint on YAML in general helps less than how to write the expression. */
function withExpressionHint(problem: LocalProblem, text: string): LocalProblem {
  const { code, offset } = problem;
  const mayBeExpression = code === 'yaml_syntax' || code === 'unsupported_yaml';
  const hint = mayBeExpression && offset !== undefined ? expressionHint(text, offset) : undefined;
  return hint === undefined ? problem : { ...problem, hint };
}

const quoting =
  "In [ ] and { }, quote text that contains any of , [ ] { } : #, for example expression: 'plan in [1, 2]'.";

function syntax(message: string, offset: number): LocalProblem {
  return { code: 'yaml_syntax', message, pointer: '', offset };
}

function empty(): LocalProblem {
  const hint = 'Declare something in it (version, kind …) or delete it.';
  return { code: 'empty_file', message: 'the file is empty', hint, pointer: '' };
}
