import { isIP } from 'node:net';
import type { Format } from 'ajv';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import languages from 'iso-639-1';
import { parseExpiry } from './expiry.ts';
import { parseOrigin } from './origin.ts';
import { parseOutboundTarget } from './outbound-target.ts';
import { parseRate, type RateKind } from './rate.ts';

/** The string formats that schemas may use: those of JSON Schema and our own. */
export const schemaFormats: Record<string, Format> = {
  ...fullFormats,
  'iso-639-1': isLanguage,
  'iso-4217': isCurrency,
  'iana-time-zone': isTimeZone,
  'date-or-date-time': (text: string) => parseExpiry(text) !== undefined,
  'http-url': isHttpUrl,
  origin: (text: string) => parseOrigin(text) !== undefined,
  'outbound-target': (text: string) => parseOutboundTarget(text) !== undefined,
  'count-rate': (text: string) => parseRate(text, 'count').ok,
  'cost-rate': (text: string) => parseRate(text, 'cost').ok,
  'trusted-proxy': (text: string) => text.split(',').every((part) => isNetwork(part.trim())),
};

/** How problems describe a value of a format. */
export const formatNames: ReadonlyMap<string, string> = new Map([
  ['iso-639-1', 'an ISO 639-1 language code such as en'],
  ['iso-4217', 'an ISO 4217 currency code such as USD'],
  ['iana-time-zone', 'the name of an IANA time zone such as Europe/Berlin'],
  ['date-or-date-time', 'a day such as 2027-06-30, or a time with its zone such as 2027-06-30T12:00:00Z'],
  ['trusted-proxy', 'an IP address, a network such as 10.0.0.0/8, or one of loopback, linklocal, uniquelocal'],
  ['http-url', 'an http or https URL without credentials'],
  ['outbound-target', 'a host, host:port, IP address or network such as 10.0.0.0/8'],
  ['origin', 'an origin such as https://www.example.com or https://*.example.com, or *'],
  ['uri', 'an absolute URL'],
  ['date', 'a day such as 2027-06-30'],
  ['date-time', 'a time with its zone such as 2027-06-30T12:00:00Z'],
  ['email', 'an e-mail address'],
  ['regex', 'a regular expression'],
  ['hostname', 'a host name'],
]);

/** Formats whose problems say what is wrong with a value, as the end of a sentence. */
export const formatFaults: ReadonlyMap<string, (text: string) => string> = new Map([
  ['count-rate', (text: string) => rateFault(text, 'count')],
  ['cost-rate', (text: string) => rateFault(text, 'cost')],
]);

function rateFault(text: string, kind: RateKind): string {
  const parsed = parseRate(text, kind);
  return parsed.ok ? '' : parsed.fault;
}

/** Whether a text is a time with its zone (RFC 3339, date-time). */
export function isDateTime(text: string): boolean {
  const { 'date-time': format } = fullFormats;
  const validate = typeof format === 'object' && 'validate' in format ? format.validate : undefined;
  return typeof validate === 'function' && Reflect.apply(validate, undefined, [text]) === true;
}

function isLanguage(text: string): boolean {
  return /^[a-z]{2}$/.test(text) && languages.validate(text);
}

function isCurrency(text: string): boolean {
  return Intl.supportedValuesOf('currency').includes(text);
}

/** Whether a text is an http or https URL without credentials. */
export function isHttpUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (url?.protocol === 'http:' || url?.protocol === 'https:') && url.username === '' && url.password === '';
}

// There are some 600 zones, so the cache is bounded; building a DateTimeFormat for each request would be slow.
const knownTimeZones = new Set<string>();

function isTimeZone(text: string): boolean {
  if (text.length > 64 || !/^[A-Za-z]/.test(text)) return false;
  const name = text.toLowerCase();
  if (knownTimeZones.has(name)) return true;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
  } catch {
    return false;
  }
  knownTimeZones.add(name);
  return true;
}

function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}
