import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { UsageError } from './terminal.ts';

/** A body from the command line: JSON, `@FILE`, or `-` for stdin; undefined for none. */
export async function bodyOf(data: string | undefined): Promise<string | undefined> {
  if (data === undefined) return undefined;
  if (data === '-') return text(process.stdin);
  return data.startsWith('@') ? fileText(data.slice(1)) : data;
}

/** The text of a file that the user named. */
export async function fileText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw new UsageError(`cannot read the file ${file}`);
  }
}

/** Headers given as `name:value`, by their names in lower case. */
export function headersOf(written: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const header of written) {
    const colon = header.indexOf(':');
    if (colon < 1) throw new UsageError(`the header ${header} does not have the form name:value`);
    headers[header.slice(0, colon).trim().toLowerCase()] = header.slice(colon + 1).trim();
  }
  return headers;
}

/** Refuses headers that HTTP cannot carry. */
export async function checkHeaders(headers: Readonly<Record<string, string>>): Promise<void> {
  // It takes longer to load than all of the command line.
  const { validateHeaderName, validateHeaderValue } = await import('node:http');
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new UsageError(`the value of ${name} has characters that are invalid in a header`);
    }
  }
}
