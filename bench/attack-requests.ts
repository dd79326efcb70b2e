import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often each answer came. */
export type Answers = ReadonlyMap<string, number>;

export const mebibyte = 1024 * 1024;
/** How long a connection is held at most, in milliseconds. */
const holdMs = 10_000;
/** Each request has a connection of its own. */
const connections = new Agent({ keepAlive: false });
export const secrets = { attacker: 'pc_attacker_of_the_benchmark', other: 'pc_other_of_the_benchmark' };

export function harmless(port: number): Promise<string> {
  return post(port, { trigger: 'harmless', body: '{"instruction":"hello"}', secret: secrets.other });
}

/** Fires a trigger with each body at once. */
export async function fire(port: number, trigger: string, bodies: readonly string[], secret = secrets.attacker) {
  const answers = await Promise.all(bodies.map((body) => post(port, { trigger, body, secret })));
  return merged(answers.map((answer) => new Map([[answer, 1]])));
}

/** The status and code of the answer, or the code of the error. */
async function post(
  port: number,
  { trigger, body, secret }: { readonly trigger: string; readonly body: string; readonly secret: string },
): Promise<string> {
  const sent = request({
    ...{ host: '127.0.0.1', port, path: `/api/v1.0/project/support/trigger/${trigger}`, method: 'POST' },
    headers: { 'content-type': 'application/json', 'x-api-key': secret, 'content-length': Buffer.byteLength(body) },
    agent: connections,
  });
  try {
    sent.on('error', () => {});
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    const code = /"code":"(\w+)"/.exec(text)?.[1];
    return [response.statusCode, code].filter((part) => part !== undefined).join(' ');
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

/** Opens connections that send a part of a body and then nothing, until the gateway closes them or the time is over. */
export async function hold(
  port: number,
  count: number,
  { trigger, headers, sent }: { readonly trigger: string; readonly headers: readonly string[]; readonly sent: number },
): Promise<Answers> {
  const head = [
    `POST /api/v1.0/project/support/trigger/${trigger} HTTP/1.1`,
    ...['Host: bench', 'Content-Type: application/json', `Content-Length: ${mebibyte}`, ...headers, '', ''],
  ].join('\r\n');
  const part = Buffer.alloc(sent, 32);
  const held = Array.from({ length: count }, () => holdOne(connect(port, '127.0.0.1'), head, part));
  return merged((await Promise.all(held)).map((answer) => new Map([[answer, 1]])));
}

async function holdOne(socket: Socket, head: string, part: Buffer): Promise<string> {
  let answer = 'held';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    answer = /^HTTP\/1\.1 (\d{3})/.exec(chunk.toString('latin1'))?.[1] ?? answer;
  });
  socket.write(head);
  socket.write(part);
  await Promise.race([once(socket, 'close').catch(() => {}), sleep(holdMs)]);
  socket.destroy();
  return answer;
}

export function merged(all: readonly Answers[]): Answers {
  const counts = new Map<string, number>();
  for (const answers of all) {
    for (const [answer, count] of answers) counts.set(answer, (counts.get(answer) ?? 0) + count);
  }
  return counts;
}
