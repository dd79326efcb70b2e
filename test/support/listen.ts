import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** Listens on a free port, whose origin it gives; every connection is cut when the test ends. */
export async function listen(t: Test, listener: RequestListener): Promise<string> {
  const stub = createServer(listener).listen(0, '127.0.0.1');
  await once(stub, 'listening');
  t.teardown(() => {
    stub.close();
    stub.closeAllConnections();
  });
  return `http://127.0.0.1:${(stub.address() as AddressInfo).port}`;
}
