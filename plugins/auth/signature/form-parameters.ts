/** Senders of forms have a few dozen: sorting more than that would be work for an unknown sender. */
const mostParameters = 1024;
const ampersand = 0x26;

/**
 * The parameters of a form as Twilio signs them: each name and value in the order of the names, without what is between
 * them, and equal values of one name once (https://www.twilio.com/docs/usage/security). Undefined for too many.
 */
export function formParameters(body: Uint8Array): string | undefined {
  let count = 1;
  for (const byte of body) if (byte === ampersand) count += 1;
  if (count > mostParameters) return undefined;
  const valuesByName = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(Buffer.from(body).toString())) {
    const values = valuesByName.get(name);
    if (values === undefined) valuesByName.set(name, new Set([value]));
    else values.add(value);
  }
  const names = [...valuesByName.keys()].sort();
  return names.flatMap((name) => [...(valuesByName.get(name) ?? [])].sort().map((value) => name + value)).join('');
}

/** Whether a body is a form that a signature can cover by its parameters; an empty body has none. */
export function isForm(body: Uint8Array, contentType: unknown): boolean {
  if (body.length === 0) return true;
  return typeof contentType === 'string' && /^application\/x-www-form-urlencoded *(?:;|$)/i.test(contentType);
}
