import type { JsonValue } from '../../../src/contract/index.ts';
import { AgentFault, failed, parsed, textOf } from '../../../src/run-kit/index.ts';

/** What an agent answers: at once, when it is polled, or at the completion address. */
export interface Answer {
  readonly value: JsonValue;
  readonly outcome: Outcome;
}

/** What an agent can say that its answer means, in the header pullcord-outcome. */
const outcomes = ['succeeded', 'input_required', 'failed'] as const;
export type Outcome = (typeof outcomes)[number];

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Reads the body of an answer as its headers say. Throws an AgentFault if it is not valid. */
export function interpret(bytes: Uint8Array, headers: Headers): Answer {
  const outcome = outcomes.find((known) => known === (headers['pullcord-outcome'] ?? 'succeeded'));
  if (outcome === undefined) throw fault('an unknown pullcord-outcome');
  if (bytes.length === 0) return { value: null, outcome };
  const [type = ''] = String(headers['content-type'] ?? '').split(';', 1);
  const mediaType = type.trim().toLowerCase();
  const isJson = mediaType === 'application/json' || mediaType.endsWith('+json');
  if (!isJson && mediaType !== '' && !mediaType.startsWith('text/')) {
    throw fault('a content type that is neither JSON nor text');
  }
  const text = textOf(bytes);
  return { value: isJson ? parsed(text) : text, outcome };
}

function fault(what: string): AgentFault {
  return new AgentFault(failed(`agent answered with ${what}`));
}
