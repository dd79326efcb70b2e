import type { FailedRunResult, JsonValue, OutboundResponse } from '../../../src/contract/index.ts';
import { parseAgentJson } from '../../../src/run-kit/index.ts';

/** What an agent says, at once, when it is polled, or when it calls back. */
export type Answer =
  | { readonly ok: true; readonly value: JsonValue; readonly outcome: Outcome }
  | { readonly ok: false; readonly failure: FailedRunResult };

/** What an agent can say its answer means, in the header pullcord-outcome. */
const outcomes = ['succeeded', 'input_required', 'failed'] as const;
export type Outcome = (typeof outcomes)[number];

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Reads a response with a status of success. Rejects only with an OutboundError. */
export async function readAnswer(response: OutboundResponse): Promise<Answer> {
  const encoding = response.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    await response.discard();
    return failed('agent answered in a content encoding that it was not asked for');
  }
  return interpret(await response.bytes(), response.headers);
}

/** Makes sense of the bytes of an answer by its headers. */
export function interpret(bytes: Uint8Array, headers: Headers): Answer {
  const outcome = outcomeOf(headers['pullcord-outcome']);
  if (outcome === undefined) return failed('agent answered with a pullcord-outcome that there is not');
  if (bytes.length === 0) return { ok: true, value: null, outcome };
  const type = mediaType(headers['content-type']);
  const isJson = type === 'application/json' || type.endsWith('+json');
  if (!isJson && type !== '' && !type.startsWith('text/')) {
    return failed('agent answered with a content type that is neither JSON nor text');
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return failed('agent answered with text that is not UTF-8');
  }
  if (!isJson) return { ok: true, value: text, outcome };
  const parsed = parseAgentJson(text);
  return parsed.ok ? { ok: true, value: parsed.value, outcome } : failed(`agent answered with ${parsed.fault}`);
}

function outcomeOf(header: Headers[string]): Outcome | undefined {
  if (header === undefined) return 'succeeded';
  return outcomes.find((outcome) => outcome === header);
}

/** The type without its parameters, in lower case; empty if there is none. */
function mediaType(header: Headers[string]): string {
  const [type = ''] = String(header ?? '').split(';', 1);
  return type.trim().toLowerCase();
}

function failed(message: string): Answer {
  return { ok: false, failure: { kind: 'failed', message, retryable: false } };
}
