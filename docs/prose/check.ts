import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/**
 * Holds what people read to plain English. A script of our own, because the linters for prose read Markdown alone and bring
 * a hundred packages and more; most of what users read here are string literals.
 */
export interface Term {
  readonly reject: string;
  readonly write: string;
}

interface Prose {
  readonly terms: readonly Term[];
  readonly enforced: readonly string[];
  readonly all: readonly string[];
}

export interface Finding {
  readonly line: number;
  readonly found: string;
  readonly write: string;
}

const root = join(import.meta.dirname, '../..');

/** Code of Markdown pages is what programs print and read; it is checked where it is written. */
const markdownCode = /^( *)(```|~~~).*\n[\s\S]*?^\1\2|`[^`\n]+`/gm;
/** What begins a line of a comment, so that a term is found across a line break. */
const commentMargin = /^[ \t]*(\*|\/\/)/gm;

export function findTerms(file: string, text: string, terms: readonly Term[]): Finding[] {
  const prose = text.replace(file.endsWith('.md') ? markdownCode : commentMargin, blank);
  const findings = terms.flatMap(({ reject, write }) => {
    const pattern = new RegExp(`\\b(?:${reject.replaceAll(' ', '\\s+')})\\b`, 'gi');
    return [...prose.matchAll(pattern)].map(({ 0: found, index }) => ({ found, write, line: lineAt(prose, index) }));
  });
  return findings.sort((a, b) => a.line - b.line);
}

/** The same length and lines, so that places stay what they are. */
function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

function filesOf(patterns: readonly string[]): string[] {
  const files = patterns.flatMap((pattern) => {
    const found = globSync(pattern, { cwd: root }).filter((file) => !file.includes('node_modules'));
    if (found.length === 0) throw new Error(`docs/prose/prose.yaml: no file matches ${pattern}`);
    return found;
  });
  return [...new Set(files)].filter((file) => !file.endsWith('.gen.ts')).sort();
}

if (import.meta.main) {
  const { terms, enforced, all }: Prose = parse(readFileSync(join(import.meta.dirname, 'prose.yaml'), 'utf8'));
  for (const file of filesOf(process.argv.includes('--all') ? all : enforced)) {
    for (const { line, found, write } of findTerms(file, readFileSync(join(root, file), 'utf8'), terms)) {
      console.error(`${file}:${line} "${found.replace(/\s+/g, ' ')}": write ${write}`);
      process.exitCode = 1;
    }
  }
}
