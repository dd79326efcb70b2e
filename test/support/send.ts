import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail if it is not there.
  readonly body: any;
}

export interface SendOptions {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string | Uint8Array | undefined;
}

const agent = new Agent({ keepAlive: true });

/** Sends a request and reads its whole answer. Some tests send ten thousand: `fetch` takes three times as much processor. */
export function send(url: string, { method, headers, payload }: SendOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) };
    const sent = request(url, { method, agent, headers: { ...length, ...headers } }, (response) => {
      text(response).then((body) => resolve(answer(response.statusCode ?? 0, response.rawHeaders, body)), reject);
    });
    sent.on('error', reject);
    sent.end(payload);
  });
}

export async function answerOf(response: Response): Promise<Answer> {
  return answer(response.status, [...response.headers].flat(), await response.text());
}

/** @param raw names and values of headers, in turn */
function answer(status: number, raw: readonly string[], text: string): Answer {
  const headers = new Headers();
  for (let index = 0; index < raw.length; index += 2) headers.append(raw[index] ?? '', raw[index + 1] ?? '');
  const isJson = /json/.test(headers.get('content-type') ?? '');
  return { status, headers, text, body: isJson ? JSON.parse(text) : undefined };
}
