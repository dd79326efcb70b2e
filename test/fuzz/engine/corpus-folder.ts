import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Inputs that a run keeps, as long as there are fewer in the file, and none is longer. Faults have room of their own. */
const mostKept = 40;
const longestKept = 600;
const mostInputs = 200;
const longestInput = 64 * 1024;

/** An input in a file: a text, or bytes that are not UTF-8. */
type Written = string | { readonly base64: string };

/** Where the inputs of a target are kept in a folder. */
export function corpusFile(folder: string, target: string): string {
  return join(folder, `${target}.json`);
}

/** The inputs of a target in a folder; none if there is no file. */
export function readCorpus(folder: string, target: string): readonly Buffer[] {
  return readInputs(corpusFile(folder, target));
}

/** The inputs in a file. */
export function readInputs(file: string): readonly Buffer[] {
  if (!existsSync(file)) return [];
  const inputs: readonly Written[] = JSON.parse(readFileSync(file, 'utf8'));
  return inputs.map((input) => (typeof input === 'string' ? Buffer.from(input) : Buffer.from(input.base64, 'base64')));
}

/** Adds inputs that are worth varying to those of a target, the short ones first, as long as there is room. */
export function growCorpus(folder: string, target: string, inputs: readonly Buffer[]): void {
  const known = readCorpus(folder, target);
  const short = inputs.filter((input) => input.length <= longestKept && !includes(known, input));
  const room = Math.max(0, mostKept - known.length);
  write(folder, target, [...known, ...short.toSorted((one, other) => one.length - other.length).slice(0, room)]);
}

/** Adds the input of a fault. Returns its file; undefined if there is no room. */
export function addFind(folder: string, target: string, input: Buffer): string | undefined {
  const known = readCorpus(folder, target);
  const file = corpusFile(folder, target);
  if (includes(known, input)) return file;
  if (input.length > longestInput || known.length >= mostInputs) return undefined;
  write(folder, target, [...known, input]);
  return file;
}

function includes(inputs: readonly Buffer[], input: Buffer): boolean {
  return inputs.some((known) => known.equals(input));
}

function write(folder: string, target: string, inputs: readonly Buffer[]): void {
  if (inputs.length === 0) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(corpusFile(folder, target), `${JSON.stringify(inputs.map(written), undefined, 2)}\n`);
}

function written(input: Buffer): Written {
  const text = input.toString();
  return Buffer.from(text).equals(input) ? text : { base64: input.toString('base64') };
}
