import { deepFreeze } from '../schema/deep-freeze.ts';
import type { ConfigDocument } from './documents.gen.ts';
import { checkDocument, isKind, type Kind } from './kinds.ts';
import type { LocalProblem } from './yaml/local-problem.ts';
import { parseYaml } from './yaml/parse.ts';

/** What a config file's bytes alone determine, frozen. */
export interface CheckedFile {
  readonly text: string;
  /** Whether positions can be looked up by pointer. */
  readonly isYaml: boolean;
  /** The document, if nothing is wrong with it. */
  readonly document: ConfigDocument | undefined;
  /** The kind and id that a faulty document claims, so that references to it are not reported as well. */
  readonly claims: { readonly kind: Kind | undefined; readonly id: string | undefined };
  readonly problems: readonly LocalProblem[];
}

/** Parses and checks the bytes of a config file. Never throws. */
export function checkFile(bytes: Uint8Array): CheckedFile {
  const parsed = parseYaml(bytes);
  const { text } = parsed;
  if (!parsed.ok) {
    const claims = claimsOf({ kind: fieldOf(text, 'kind'), id: fieldOf(text, 'id') });
    return deepFreeze({ text, isYaml: false, document: undefined, claims, problems: parsed.problems });
  }
  const checked = checkDocument(parsed.value);
  return deepFreeze({
    text,
    isYaml: true,
    document: checked.ok ? checked.document : undefined,
    claims: claimsOf(parsed.value),
    problems: checked.ok ? [] : checked.problems,
  });
}

function claimsOf(value: unknown): CheckedFile['claims'] {
  const { kind, id } = Object(value);
  return { kind: isKind(kind) ? kind : undefined, id: typeof id === 'string' ? id : undefined };
}

/** The value of a field in a text that is not valid YAML, read from its line. */
function fieldOf(text: string, name: string): string | undefined {
  return new RegExp(`^${name}: *["']?([\\w-]+)`, 'm').exec(text)?.[1];
}
