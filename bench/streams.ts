// How much memory the gateway takes for streams that are open at once, each with a run whose agent is still talking.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cores } from './cores.ts';
import { peakMegabytes } from './peak-memory.ts';
import { goodSecret } from './rows.ts';
import { startGatewayProcess } from './servers.ts';

export interface StreamFigures {
  readonly streams: number;
  /** Resident memory of the gateway's process while all streams are open and tell something, at its peak. */
  readonly megabytes: number;
  /** The same before the first of them. */
  readonly idleMegabytes: number;
}

const streamCount = 2000;
/** How many are opened at once. */
const batchSize = 100;

/** Opens 2,000 streams, waits until each has told two words, and closes them. */
export async function openStreams(cores: Cores): Promise<StreamFigures> {
  process.stderr.write(`opening ${streamCount} streams\n`);
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-streams-'));
  const server = await startGatewayProcess(folder, { engine: 'sqlite', env: {}, recordingRate: 0 }, cores, []);
  const sockets: Socket[] = [];
  try {
    const idleMegabytes = await peakMegabytes(server.pid);
    for (let opened = 0; opened < streamCount; opened += batchSize) {
      const batch = Array.from({ length: batchSize }, (_, index) => openStream(server.url, opened + index));
      sockets.push(...(await Promise.all(batch)));
    }
    return { streams: sockets.length, megabytes: await peakMegabytes(server.pid), idleMegabytes };
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A stream that has told two words of an answer that takes minutes. */
async function openStream(url: string, nth: number): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const body = JSON.stringify({ instruction: `word `.repeat(1000), sessionId: `stream ${nth}` });
  socket.write(
    [
      'POST /api/v1.0/project/support/trigger/streamed HTTP/1.1',
      'host: bench',
      `x-api-key: ${goodSecret}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
  for (let text = ''; text.split('event: delta').length < 3; ) {
    const [chunk] = await once(socket, 'data');
    text += chunk;
    if (!text.startsWith('HTTP/1.1 200')) throw new Error(`no stream: ${text}`);
  }
  // Whoever listens goes on reading.
  socket.resume();
  return socket;
}
