import type { BodyKind } from '../../config/model.ts';

/** The media types of each format, as they are shown to callers. */
export const mediaTypes: Readonly<Record<BodyKind, readonly string[]>> = {
  json: ['application/json', 'application/*+json'],
  form: ['application/x-www-form-urlencoded', 'multipart/form-data'],
  text: ['text/*'],
};

const jsonType = /^(?:application\/json|[\w.!#$&^-]+\/[\w.!#$&^-]+\+json)$/;

/** What a `Content-Type` says of a body. */
export interface BodyType {
  readonly kind: BodyKind;
  /** What separates the parts of a multipart form. */
  readonly boundary?: string | undefined;
}

const plainJson: BodyType = { kind: 'json' };

/** Returns the format of a body, or undefined if it is not accepted. Text is always UTF-8. */
export function bodyTypeOf(contentType: string | undefined, accept: readonly BodyKind[]): BodyType | undefined {
  // What most senders write.
  if (contentType === 'application/json' || contentType === 'application/json; charset=utf-8') {
    return accept.includes('json') ? plainJson : undefined;
  }
  if (contentType === undefined) return undefined;
  const essence = essenceOf(contentType);
  const kind = kindOf(essence, accept);
  if (kind === undefined || !accept.includes(kind)) return undefined;
  if (essence === 'multipart/form-data') return { kind, boundary: parameterOf(contentType, 'boundary') ?? '' };
  const charset = parameterOf(contentType, 'charset')?.toLowerCase() ?? 'utf-8';
  return isUtf8Charset(charset) ? { kind } : undefined;
}

/** `application/json; charset=utf-8` → `application/json` */
export function essenceOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** The name of a format that a recorded body has; its text is JSON, unless its type says otherwise. */
export function isJsonType(contentType: string | undefined): boolean {
  return contentType === undefined || jsonType.test(essenceOf(contentType));
}

function kindOf(essence: string, accept: readonly BodyKind[]): BodyKind | undefined {
  if (jsonType.test(essence)) return 'json';
  if (mediaTypes.form.includes(essence)) return 'form';
  // Senders that may not say `application/json`, e.g. Amazon SNS, say that it is text.
  if (essence === 'text/plain' && !accept.includes('text')) return 'json';
  return /^text\/[\w.!#$&^+-]+$/.test(essence) ? 'text' : undefined;
}

/** ASCII is a part of UTF-8. */
function isUtf8Charset(charset: string): boolean {
  return charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii';
}

/** A parameter (RFC 9110 §5.6.6). A value in quotes may contain semicolons, and what looks like another parameter. */
const parameter = /;([^;=]*)(?:=[ \t]*(?:"((?:[^"\\]|\\.)*)"?[^;]*|([^;]*)))?/g;

/** The first parameter of a name, as browsers read it (https://mimesniff.spec.whatwg.org/#parsing-a-mime-type). */
export function parameterOf(field: string, wanted: string): string | undefined {
  for (const [, name = '', quoted, token = ''] of field.matchAll(parameter)) {
    if (name.trim().toLowerCase() === wanted) return quoted?.replaceAll(/\\(.)/g, '$1') ?? token.trim();
  }
  return undefined;
}
