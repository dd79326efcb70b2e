import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Agent, request } from 'undici';

/** A request with a body of spaces, and the answer that a client sees. */
export interface Upload {
  /** A port of this machine, or the path of a Unix socket. */
  readonly to: number | string;
  readonly version: '1.0' | '1.1';
  readonly isChunked: boolean;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
}

/** Sends the uploads, some at a time. Resolves with the answer to each: its status and code, or the client's error. */
export type UploadClient = (uploads: readonly Upload[]) => Promise<readonly string[]>;

const atOnce = 3;
const largest = Buffer.alloc(25_000_000, ' ');

/** Clients that send and read at the same time, that read when they have sent all, and one that asks before it sends much. */
export const uploadClients: Readonly<Record<string, UploadClient>> = {
  undici: (uploads) => inTurns(uploads, byUndici),
  curl: (uploads) => inTurns(uploads, byCurl),
  python: byPython,
};

async function inTurns(uploads: readonly Upload[], send: (upload: Upload) => Promise<string>): Promise<string[]> {
  const answers: string[] = [];
  const waiting = uploads.entries();
  const work = async (): Promise<void> => {
    for (const [index, upload] of waiting) {
      answers[index] = await send(upload).catch((error: Error) => `${error.name}: ${error.message}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return answers;
}

async function byUndici({ to, method, path, headers, isChunked, bytes }: Upload): Promise<string> {
  const body = largest.subarray(0, bytes);
  const dispatcher = new Agent(typeof to === 'string' ? { connect: { socketPath: to } } : {});
  try {
    const answer = await request(`http://${typeof to === 'string' ? 'gateway' : `127.0.0.1:${to}`}${path}`, {
      dispatcher,
      method: method as 'POST',
      headers,
      body: isChunked ? Readable.from([body]) : body,
    });
    return describe(answer.statusCode, await answer.body.text());
  } finally {
    await dispatcher.destroy();
  }
}

async function byCurl({ to, version, method, path, headers, isChunked, bytes }: Upload): Promise<string> {
  const fields = { ...headers, ...(isChunked && { 'transfer-encoding': 'chunked' }) };
  const child = spawn('curl', [
    ...['--silent', '--show-error', '--request', method, `--http${version}`, '--data-binary', '@-'],
    ...['--write-out', '\n%{http_code}', ...(typeof to === 'string' ? ['--unix-socket', to] : [])],
    ...Object.entries(fields).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    `http://127.0.0.1${typeof to === 'number' ? `:${to}` : ''}${path}`,
  ]);
  child.stdin.on('error', () => {}).end(largest.subarray(0, bytes));
  const [answer, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const end = answer.lastIndexOf('\n');
  return error === '' ? describe(Number(answer.slice(end + 1)), answer.slice(0, end)) : error.trim();
}

/** http.client sends a whole request before it reads anything. */
const script = `
import http.client, json, socket, sys
from concurrent.futures import ThreadPoolExecutor

class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.host)

largest = memoryview(b' ' * ${largest.length})

def send(upload):
    to = upload['to']
    connection = http.client.HTTPConnection('127.0.0.1', to) if isinstance(to, int) else UnixConnection(to)
    if upload['version'] == '1.0':
        connection._http_vsn, connection._http_vsn_str = 10, 'HTTP/1.0'
    headers = {'Host': 'gateway', **upload['headers']}
    body = largest[:upload['bytes']]
    try:
        chunked = upload['isChunked']
        connection.request(upload['method'], upload['path'], iter([body]) if chunked else body, headers, encode_chunked=chunked)
        answer = connection.getresponse()
        return [answer.status, answer.read().decode()]
    except Exception as error:
        return [0, repr(error)]
    finally:
        connection.close()

with ThreadPoolExecutor(${atOnce}) as threads:
    for answer in threads.map(send, json.load(sys.stdin)):
        print(json.dumps(answer), flush=True)
`;

async function byPython(uploads: readonly Upload[]): Promise<readonly string[]> {
  const child = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(uploads));
  const answers: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    const [status, body] = JSON.parse(line);
    answers.push(status === 0 ? body : describe(status, body));
  }
  return answers;
}

function describe(status: number, body: string): string {
  return `${status} ${/"code":"(\w+)"/.exec(body)?.[1] ?? ''}`.trim();
}
