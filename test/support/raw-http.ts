import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; the last of a name counts. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** How often the event loop may turn before an answer is given up: the gateway is in the same loop, so it had its turns. */
const patienceTurns = 400;

/**
 * Writes bytes as they are and gives the complete answers that come back: up to so many, then the client half-closes.
 * Rejects if what came is no HTTP. Resolves only when the gateway has closed the connection.
 * @param methods of the requests in the bytes, since an answer to HEAD has a length but no body
 * @param turns how often the event loop may turn before an answer is given up; Infinity for a gateway in another process, which
 * always answers
 */
export async function exchangeBytes(
  port: number,
  bytes: Buffer,
  methods: readonly string[],
  turns = patienceTurns,
): Promise<RawAnswer[]> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      isClosed = true;
      resolve();
    });
  });
  socket.on('data', (chunk) => void chunks.push(chunk));
  // A gateway that refuses may close before it has read all, and the rest is then answered by a reset.
  socket.on('error', () => {});
  socket.write(bytes);
  let parsedChunks = 0;
  for (let turn = 0; turn < turns && !isClosed; turn += 1) {
    if (chunks.length > parsedChunks) {
      parsedChunks = chunks.length;
      if (parseAnswers(Buffer.concat(chunks), methods).length >= methods.length) break;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
  await closed;
  return parseAnswers(Buffer.concat(chunks), methods);
}

/** The complete answers in the bytes; interim ones (1xx) are left out. */
function parseAnswers(bytes: Buffer, methods: readonly string[]): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    if (headEnd === -1) break;
    const [statusLine = '', ...fields] = bytes.toString('latin1', at, headEnd).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) throw new Error(`no status line: ${statusLine}`);
    at = headEnd + 4;
    if (status < 200) continue;
    const headers = new Map(fields.map(splitField));
    const hasBody = methods[answers.length] !== 'HEAD' && status !== 204 && status !== 304;
    const length = hasBody ? lengthOf(headers, statusLine) : 0;
    if (bytes.length < at + length) break;
    answers.push({ status, headers, body: bytes.toString('utf8', at, at + length) });
    at += length;
  }
  return answers;
}

function splitField(field: string): [string, string] {
  const colon = field.indexOf(':');
  return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
}

function lengthOf(headers: ReadonlyMap<string, string>, statusLine: string): number {
  const length = headers.get('content-length');
  if (length === undefined) throw new Error(`an answer without a length: ${statusLine}`);
  return Number(length);
}
