import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { JsonValue } from '../../src/contract/index.ts';

/** One request of a sender, without its signature. The body is JSON, a form or a text. */
export interface Payload {
  readonly name: string;
  /** The name of the event, where the sender has names for them. */
  readonly event?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: JsonValue;
  /** A value that is not a string is sent as JSON. */
  readonly form?: readonly (readonly [name: string, value: JsonValue])[];
  readonly text?: string;
  /** How the gateway answers what fires nothing. */
  readonly handshake?: { readonly status: number; readonly body?: JsonValue; readonly text?: string };
  /** The sender does not sign this one. */
  readonly unsigned?: boolean;
}

/** The payloads of a sender, whose file has all digits of their numbers. */
export async function payloadsOf(sender: string): Promise<readonly Payload[]> {
  if (sender === 'github') return githubPayloads();
  return JSON.parse(await readFile(join(import.meta.dirname, `${sender}.json`), 'utf8'), withAllDigits);
}

/** `JSON.stringify` then writes numbers that no double represents as they were read. */
function withAllDigits(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined || String(value) === context.source) return value;
  return Reflect.apply(Reflect.get(JSON, 'rawJSON'), JSON, [context.source]);
}

interface Examples {
  readonly name: string;
  readonly examples: readonly JsonValue[];
}

/** Those of github.com and of every GitHub Enterprise Server release that the package has, each once. */
async function githubPayloads(): Promise<readonly Payload[]> {
  const root = dirname(createRequire(import.meta.url).resolve('@octokit/webhooks-examples/package.json'));
  const folders = ['api.github.com', 'ghes-31', 'ghes-32', 'ghes-33', 'ghes-34', 'ghes-35'];
  const bodies = new Set<string>();
  const payloads: Payload[] = [];
  for (const folder of folders) {
    const events: readonly Examples[] = JSON.parse(await readFile(join(root, folder, 'index.json'), 'utf8'));
    for (const { name: event, examples } of events) {
      for (const [index, body] of examples.entries()) {
        const text = JSON.stringify(body);
        if (bodies.has(text)) continue;
        bodies.add(text);
        const name = `${event} ${index} of ${folder}`;
        const sent: Payload = event === 'ping' ? { name, handshake: { status: 200 } } : { name, event };
        const headers = { 'x-github-event': event };
        payloads.push({ ...sent, headers, body });
        // A webhook of GitHub sends forms unless its settings say JSON.
        if (index === 0) payloads.push({ ...sent, headers, name: `${name}, as a form`, form: [['payload', body]] });
      }
    }
  }
  return payloads;
}
