import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  /** Names in lower case; the last of a name counts. */
  readonly headers: ReadonlyMap<string, string>;
  /** Undefined for an answer to HEAD, or one whose end was not awaited. */
  readonly body: string | undefined;
}

/** How often the event loop may turn without a new byte before the client half-closes. The gateway is in the same loop. */
const patienceTurns = 12;

/**
 * Writes bytes as they are, half-closes the connection when nothing more arrives, and returns the answers. Resolves only
 * when the gateway has closed the connection: one that it forgets is a hang. Throws if what arrives is not HTTP.
 */
export async function exchange(port: number, bytes: Buffer): Promise<Answer[]> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let isClosed = false;
  let quietTurns = 0;
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      isClosed = true;
      resolve();
    });
  });
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    quietTurns = 0;
  });
  // A gateway that refuses may close before it has read all, and the rest is then answered by a reset.
  socket.on('error', () => {});
  socket.write(bytes);
  for (; quietTurns < patienceTurns && !isClosed; quietTurns += 1)
    await new Promise((resolve) => setImmediate(resolve));
  socket.end();
  await closed;
  return answersIn(Buffer.concat(chunks));
}

/** The answers in the bytes, of which the last may be cut off; interim ones (1xx) are left out. */
function answersIn(bytes: Buffer): Answer[] {
  const answers: Answer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    if (headEnd === -1) break;
    const [statusLine = '', ...fields] = bytes.toString('latin1', at, headEnd).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) throw new Error(`no status line: ${statusLine.slice(0, 200)}`);
    at = headEnd + 4;
    if (status < 200) continue;
    const headers = new Map(fields.map(splitField));
    const end = endOfBody(bytes, at, headers);
    answers.push({ status, headers, body: end === undefined ? undefined : bytes.toString('utf8', at, end) });
    at = end ?? at;
    // What follows an answer that was cut off cannot be read.
    if (end === undefined && !startsAnswer(bytes, at)) break;
  }
  return answers;
}

/** Undefined if there is no body, as for HEAD, or if it is cut off. */
function endOfBody(bytes: Buffer, at: number, headers: ReadonlyMap<string, string>): number | undefined {
  if (startsAnswer(bytes, at) || at === bytes.length) return undefined;
  if (headers.get('transfer-encoding') === 'chunked') {
    const last = bytes.indexOf('0\r\n\r\n', at);
    return last === -1 ? undefined : last + 5;
  }
  const length = headers.get('content-length');
  if (length === undefined) return bytes.length;
  const end = at + Number(length);
  return end > bytes.length ? undefined : end;
}

function startsAnswer(bytes: Buffer, at: number): boolean {
  return bytes.toString('latin1', at, at + 9) === 'HTTP/1.1 ';
}

function splitField(field: string): [string, string] {
  const colon = field.indexOf(':');
  return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
}
