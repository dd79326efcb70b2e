/** Senders have a few dozen: more would be work and memory for the sake of empty names. */
export const mostFields = 1000;

/** A field of a form, in the order in which it was sent. */
export type FormField = readonly [name: string, value: string];

export type FormFields =
  | { readonly ok: true; readonly fields: readonly FormField[] }
  | { readonly ok: false; readonly detail: string };

const tooMany: FormFields = { ok: false, detail: `The form has more than ${mostFields} fields.` };
const badUtf8: FormFields = { ok: false, detail: 'The form is not valid UTF-8.' };

/** Reads `application/x-www-form-urlencoded` as browsers write it (https://url.spec.whatwg.org/#urlencoded-parsing). */
export function urlencodedFields(text: string): FormFields {
  const fields: FormField[] = [];
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('&', start);
    const end = found === -1 ? text.length : found;
    if (end > start) {
      if (fields.length === mostFields) return tooMany;
      const equals = text.indexOf('=', start);
      const nameEnd = equals === -1 || equals > end ? end : equals;
      const name = decoded(text.slice(start, nameEnd));
      const value = decoded(text.slice(Math.min(nameEnd + 1, end), end));
      if (name === undefined || value === undefined) return badUtf8;
      fields.push([name, value]);
    }
    start = end + 1;
  }
  return { ok: true, fields };
}

/** A percent sign that encodes nothing is kept. Undefined for bytes that are not UTF-8. */
function decoded(text: string): string | undefined {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return spaced.replaceAll(/(?:%[0-9a-f]{2})+/gi, decodeURIComponent);
  } catch {
    return undefined;
  }
}

/** Writes fields as `application/x-www-form-urlencoded`. */
export function urlencodedText(fields: readonly FormField[]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of fields) parameters.append(name, value);
  return parameters.toString();
}
