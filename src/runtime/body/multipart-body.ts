import { type FormField, type FormFields, mostFields } from './form-body.ts';
import { parameterOf } from './media-type.ts';

const malformed: FormFields = { ok: false, detail: 'The body is not valid multipart/form-data.' };
const tooMany: FormFields = { ok: false, detail: `The form has more than ${mostFields} fields.` };
const hasFile: FormFields = { ok: false, detail: 'The form has a file, and files are not accepted.' };
const encoded: FormFields = {
  ok: false,
  detail: 'The form has a field in a transfer encoding, which is not accepted.',
};

/** What senders write takes some 200 characters: more would be work for the sake of parameters that mean nothing. */
const longestHead = 8 * 1024;

/** RFC 2046 §5.1.1. */
const boundaryForm = /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/;

/**
 * Reads `multipart/form-data` (RFC 7578) whose parts are text in UTF-8. What stands before the first delimiter and after
 * the last is ignored, as RFC 2046 says.
 */
export function multipartFields(text: string, boundary: string): FormFields {
  if (!boundaryForm.test(boundary)) return malformed;
  const delimiter = `--${boundary}`;
  const fields: FormField[] = [];
  let at = startOf(text, delimiter);
  while (at !== -1) {
    at += delimiter.length;
    if (text.startsWith('--', at)) return { ok: true, fields };
    const bodyStart = endOfBlanks(text, at);
    if (bodyStart === -1) return malformed;
    const end = text.indexOf(`\r\n${delimiter}`, bodyStart - 2);
    if (end === -1) return malformed;
    if (fields.length === mostFields) return tooMany;
    const field = fieldOf(text.slice(bodyStart, Math.max(bodyStart, end)));
    if ('ok' in field) return field;
    fields.push(field);
    at = end + 2;
  }
  return malformed;
}

function startOf(text: string, delimiter: string): number {
  if (text.startsWith(delimiter)) return 0;
  const found = text.indexOf(`\r\n${delimiter}`);
  return found === -1 ? -1 : found + 2;
}

/** The position after the blanks and the line break behind a delimiter, or -1. */
function endOfBlanks(text: string, start: number): number {
  let at = start;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return text.startsWith('\r\n', at) ? at + 2 : -1;
}

function fieldOf(part: string): FormField | FormFields {
  const headEnd = part.indexOf('\r\n\r\n');
  if (headEnd === -1 || headEnd > longestHead) return malformed;
  let disposition: string | undefined;
  for (const line of part.slice(0, headEnd).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 1) return malformed;
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon).toLowerCase()) {
      case 'content-disposition':
        disposition = value;
        break;
      case 'content-transfer-encoding':
        if (!/^(?:7bit|8bit|binary)$/i.test(value)) return encoded;
    }
  }
  if (disposition === undefined || !/^form-data *;/i.test(disposition)) return malformed;
  if (parameterOf(disposition, 'filename') !== undefined || parameterOf(disposition, 'filename*') !== undefined) {
    return hasFile;
  }
  const name = parameterOf(disposition, 'name');
  if (name === undefined) return malformed;
  return [unescaped(name), part.slice(headEnd + 4)];
}

/** Browsers escape these in names, and nothing else (https://html.spec.whatwg.org/#multipart-form-data). */
function unescaped(name: string): string {
  return name.replaceAll('%22', '"').replaceAll(/%0d/gi, '\r').replaceAll(/%0a/gi, '\n');
}
