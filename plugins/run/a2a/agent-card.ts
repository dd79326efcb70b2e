import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { AgentFault, failed, isObject } from '../../../src/run-kit/index.ts';
import type { Addresses } from './check-options.ts';

/** How an agent is called, according to its card. */
export interface AgentInterface {
  readonly url: string;
  readonly version: '1.0' | '0.3';
  /** Empty if there is none. */
  readonly tenant: string;
  /** Whether the agent streams its answers. */
  readonly streaming: boolean;
}

/**
 * Chooses how to call an agent: by JSON-RPC, in the later of the two versions. A card is not trusted: a URL in it counts
 * only if it has the origin of the card.
 */
export function chooseInterface(card: JsonValue, { card: cardUrl, endpoint }: Addresses): AgentInterface {
  if (!isObject(card)) throw faulty('the agent card is not one of A2A');
  const streaming = isObject(card.capabilities) && card.capabilities.streaming === true;
  const spoken = declaredInterfaces(card).flatMap(({ url, binding, version, tenant }) => {
    const known = knownVersion(version);
    if (url === '' || binding.toUpperCase() !== 'JSONRPC' || known === undefined) return [];
    return [{ url: endpoint?.href ?? resolve(url, cardUrl), version: known, tenant, streaming }];
  });
  if (spoken.length === 0) throw faulty('the agent card names no interface of JSON-RPC in A2A 1.0 or 0.3');
  const reachable = spoken.flatMap(({ url, ...rest }) => (url === undefined ? [] : [{ url, ...rest }]));
  const chosen = reachable.find(({ version }) => version === '1.0') ?? reachable[0];
  if (chosen === undefined) {
    throw faulty('the agent card names an interface of another origin than url; the option endpoint can allow it');
  }
  return chosen;
}

function faulty(message: string): AgentFault {
  return new AgentFault(failed(message));
}

interface Declared {
  readonly url: string;
  readonly binding: string;
  readonly version: string;
  readonly tenant: string;
}

/** The interfaces that a card declares, the preferred ones first. */
function declaredInterfaces(card: JsonObject): readonly Declared[] {
  const listed = objectsOf(card.supportedInterfaces);
  if (listed.length > 0) {
    return listed.map(({ url, protocolBinding, protocolVersion, tenant }) => {
      return { url: text(url), binding: text(protocolBinding), version: text(protocolVersion), tenant: text(tenant) };
    });
  }
  // In the form of 0.3: one version for all interfaces, which early cards leave out.
  const version = text(card.protocolVersion) || '0.3';
  const preferred = { url: text(card.url), binding: text(card.preferredTransport) || 'JSONRPC', version, tenant: '' };
  const additional = objectsOf(card.additionalInterfaces).map(({ url, transport }) => {
    return { url: text(url), binding: text(transport), version, tenant: '' };
  });
  return [preferred, ...additional];
}

function knownVersion(version: string): AgentInterface['version'] | undefined {
  if (/^1(\.|$)/.test(version)) return '1.0';
  return /^0\.3(\.|$)/.test(version) ? '0.3' : undefined;
}

/** Undefined if it is of another origin. */
function resolve(url: string, cardUrl: URL): string | undefined {
  const resolved = URL.canParse(url, cardUrl.href) ? new URL(url, cardUrl.href) : undefined;
  const isOwn = resolved?.origin === cardUrl.origin && resolved.username === '' && resolved.password === '';
  return isOwn ? resolved.href : undefined;
}

function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
