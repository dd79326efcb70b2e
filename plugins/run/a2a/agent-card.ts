import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { AgentFault, failed, isObject, membersOf } from '../../../src/run-kit/index.ts';
import type { Addresses } from './check-options.ts';
import { objectsIn, textIn } from './content.ts';

/** How an agent is called, according to its card. */
export interface AgentInterface {
  readonly url: string;
  readonly version: '1.0' | '0.3';
  /** Empty if there is none. */
  readonly tenant: string;
  /** Whether the agent can stream its answers. */
  readonly streaming: boolean;
}

/**
 * Chooses how to call an agent: by JSON-RPC, in the later of the two versions. A card is not trusted: a URL in it counts
 * only if it has the origin of the card.
 */
export function chooseInterface(card: JsonValue, { card: cardUrl, endpoint }: Addresses): AgentInterface {
  if (!isObject(card)) throw new AgentFault(failed('the agent card is not one of A2A'));
  const streaming = membersOf(card.capabilities).streaming === true;
  let isElsewhere = false;
  const interfaces = declaredInterfaces(card).flatMap(({ url, protocolBinding, protocolVersion, tenant }) => {
    const version = versionIn(textIn(protocolVersion));
    if (textIn(url) === '' || version === undefined || textIn(protocolBinding).toUpperCase() !== 'JSONRPC') return [];
    const address = endpoint?.href ?? resolve(textIn(url), cardUrl);
    isElsewhere ||= address === undefined;
    return address === undefined ? [] : [{ url: address, version, tenant: textIn(tenant), streaming }];
  });
  const chosen = interfaces.find(({ version }) => version === '1.0') ?? interfaces[0];
  if (chosen !== undefined) return chosen;
  const reason = isElsewhere
    ? 'an interface of another origin than url; the option endpoint can allow it'
    : 'no interface of JSON-RPC in A2A 1.0 or 0.3';
  throw new AgentFault(failed(`the agent card names ${reason}`));
}

/** Returns the interfaces that a card declares, the preferred ones first, in the form of 1.0. */
function declaredInterfaces(card: JsonObject): readonly JsonObject[] {
  const listed = objectsIn(card.supportedInterfaces);
  if (listed.length > 0) return listed;
  // In the form of 0.3: one version for all interfaces, which early cards leave out.
  const protocolVersion = card.protocolVersion || '0.3';
  const preferred = { url: card.url ?? '', transport: card.preferredTransport || 'JSONRPC' };
  return [preferred, ...objectsIn(card.additionalInterfaces)].map(({ url = '', transport = '' }) => {
    return { url, protocolBinding: transport, protocolVersion };
  });
}

function versionIn(version: string): AgentInterface['version'] | undefined {
  if (/^1(\.|$)/.test(version)) return '1.0';
  return /^0\.3(\.|$)/.test(version) ? '0.3' : undefined;
}

/** Undefined if it is of another origin. */
function resolve(url: string, cardUrl: URL): string | undefined {
  const resolved = URL.canParse(url, cardUrl.href) ? new URL(url, cardUrl.href) : undefined;
  const isOwn = resolved?.origin === cardUrl.origin && resolved.username === '' && resolved.password === '';
  return isOwn ? resolved.href : undefined;
}
