import type { IncomingHttpHeaders } from 'node:http';

const jsonType = /^application\/(?:json|[\w.!#$&^-]+\+json)[ \t]*(?:;|$)/i;
/** A parameter (RFC 9110 §5.6.6). A value in quotes may contain semicolons, and what looks like another parameter. */
const parameter = /;([^;=]*)(?:=[ \t]*(?:"((?:[^"\\]|\\.)*)"?[^;]*|([^;]*)))?/g;

/** Whether a body is JSON in UTF-8 as it was sent, by its headers. */
export function isPlainJson(headers: IncomingHttpHeaders): boolean {
  return isIdentity(headers['content-encoding']) && isUtf8Json(headers['content-type']);
}

function isIdentity(encoding: string | undefined): boolean {
  if (encoding === undefined || encoding === 'identity') return true;
  // A list, if the header was sent several times.
  return encoding.split(',').every((coding) => /^(?:identity)?$/i.test(coding.trim()));
}

function isUtf8Json(type: string | undefined): boolean {
  // What most senders write.
  if (type === 'application/json' || type === 'application/json; charset=utf-8') return true;
  if (type === undefined || !jsonType.test(type)) return false;
  const charset = charsetOf(type)?.toLowerCase() ?? 'utf-8';
  return charset === 'utf-8' || charset === 'utf8';
}

/** The first parameter `charset`, as browsers read it (https://mimesniff.spec.whatwg.org/#parsing-a-mime-type). */
function charsetOf(type: string): string | undefined {
  for (const [, name = '', quoted, token = ''] of type.matchAll(parameter)) {
    if (name.trim().toLowerCase() === 'charset') return quoted?.replaceAll(/\\(.)/g, '$1') ?? token.trim();
  }
  return undefined;
}
