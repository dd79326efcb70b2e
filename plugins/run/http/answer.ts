import type { Dispatcher } from 'undici';
import { parseAgentJson, type RunResult } from '../../../src/contract/index.ts';

/** Statuses that say "not now" rather than "not so". */
const retryableStatuses = new Set([408, 425, 429, 500, 502, 503, 504]);

/** How much of an unwanted body is read, and for how many milliseconds, to keep its connection for the next run. */
const discardLimit = { bytes: 64 * 1024, ms: 1_000 };

/** Makes a run's result of an agent's response. Rejects only if the connection fails. */
export async function readAnswer(response: Dispatcher.ResponseData, maxBytes: number): Promise<RunResult> {
  const { statusCode: status, headers, body } = response;
  if (status < 200 || status > 299) {
    await discard(body);
    const redirect = status >= 300 && status < 400;
    const message = redirect ? `agent answered ${status}: redirects are not followed` : `agent answered ${status}`;
    return failed(message, retryableStatuses.has(status));
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    await discard(body);
    return failed('agent answered in a content encoding that it was not asked for');
  }
  const bytes = await readUpTo(maxBytes, body);
  if (bytes === undefined) return failed(`agent answered with more than ${maxBytes} bytes`);
  if (bytes.length === 0) return { kind: 'succeeded', output: null };
  return interpret(bytes, mediaType(headers['content-type']));
}

function interpret(bytes: Buffer, type: string): RunResult {
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
  if (!isJson) return { kind: 'succeeded', output: text };
  const parsed = parseAgentJson(text);
  return parsed.ok ? { kind: 'succeeded', output: parsed.value } : failed(`agent answered with ${parsed.fault}`);
}

/** The body, or undefined, with the connection cut, once it grows past the limit. */
async function readUpTo(maxBytes: number, body: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

async function discard(body: Dispatcher.ResponseData['body']): Promise<void> {
  const { bytes: limit, ms } = discardLimit;
  // A body that is too long, too slow or cut off costs its connection, nothing else.
  await body.dump({ limit, signal: AbortSignal.timeout(ms) }).catch(() => {});
}

/** The type without its parameters, in lower case; empty if there is none. */
function mediaType(header: string | string[] | undefined): string {
  const [type = ''] = String(header ?? '').split(';', 1);
  return type.trim().toLowerCase();
}

function failed(message: string, retryable = false): RunResult {
  return { kind: 'failed', message, retryable };
}
