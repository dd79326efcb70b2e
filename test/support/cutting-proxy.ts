import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';

/** A connection in front of a gateway that breaks again and again. */
export interface CuttingProxy {
  readonly origin: string;
  cuts(): number;
}

/** Cuts each connection in the middle of a delta event, after it has passed on some others. */
export async function startCuttingProxy(t: Test, target: string, deltas: number): Promise<CuttingProxy> {
  let cuts = 0;
  const server = createServer((client: Socket) => {
    const upstream = connect(Number(new URL(target).port), '127.0.0.1');
    let seen = 0;
    client.pipe(upstream);
    upstream.on('data', (bytes) => {
      for (let at = bytes.indexOf('event: delta'); at >= 0; at = bytes.indexOf('event: delta', at + 1)) {
        seen += 1;
        if (seen <= deltas) continue;
        cuts += 1;
        client.end(bytes.subarray(0, at + 30), () => client.destroy());
        upstream.destroy();
        return;
      }
      client.write(bytes);
    });
    upstream.on('end', () => client.end());
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.on('close', () => upstream.destroy());
    t.teardown(() => client.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return { origin: `http://127.0.0.1:${address.port}`, cuts: () => cuts };
}
