import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A TCP proxy in front of a port of this machine that stands in for a bad network. */
export interface SwallowingProxy {
  readonly port: number;
  /** Connections that were open and new ones fall silent for good: no byte, no FIN and no RST passes, as with a firewall. */
  swallow(): void;
  /** Nothing passes for now; `resume` delivers all of it, even of those who have gone, as after a network partition. */
  hold(): void;
  /** From now on each byte takes this long. */
  delay(ms: number): void;
  /** Destroys all connections. New ones pass. */
  cut(): void;
  /** New connections pass, and those that were held. */
  resume(): void;
  close(): Promise<void>;
}

/** A test, or whatever else closes what was opened for it. */
interface Owner {
  teardown(closer: () => Promise<void>): unknown;
}

type Mode = 'pass' | 'swallow' | 'hold';

/** How the network is now. */
interface Network {
  mode: Mode;
  delayMs: number;
}

/** Starts a proxy on a free port. It closes with the test. */
export async function startSwallowingProxy(owner: Owner, targetPort: number): Promise<SwallowingProxy> {
  const network: Network = { mode: 'pass', delayMs: 0 };
  const connections = new Set<Connection>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const connection = new Connection(client, targetPort, network);
    connections.add(connection);
    connection.onClose = () => connections.delete(connection);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cut = () => {
    for (const connection of connections) connection.destroy();
  };
  const close = async () => {
    cut();
    if (server.listening) await once(server.close(), 'close');
  };
  owner.teardown(close);
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close,
    swallow() {
      network.mode = 'swallow';
      for (const connection of connections) connection.swallow();
    },
    hold() {
      network.mode = 'hold';
    },
    delay(ms) {
      network.delayMs = ms;
    },
    resume() {
      network.mode = 'pass';
      for (const connection of connections) connection.resume();
    },
  };
}

class Connection {
  onClose: () => void = () => undefined;
  readonly #sides: readonly [Socket, Socket];
  readonly #ways: readonly [Way, Way];
  #isSwallowed = false;

  constructor(client: Socket, targetPort: number, network: Network) {
    const server = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    this.#sides = [client, server];
    const isSwallowed = () => this.#isSwallowed;
    this.#ways = [new Way(client, server, network, isSwallowed), new Way(server, client, network, isSwallowed)];
    if (network.mode === 'swallow') this.#isSwallowed = true;
    for (const side of this.#sides) {
      side.setNoDelay(true);
      side.on('close', () => {
        if (this.#sides.every(({ destroyed }) => destroyed)) this.onClose();
      });
    }
  }

  swallow(): void {
    this.#isSwallowed = true;
  }

  resume(): void {
    for (const way of this.#ways) way.flush();
    if (!this.#isSwallowed) return;
    // The kernel of the one that has gone answers the other one now. Where both are there, both stay silent.
    const [client, server] = this.#sides;
    if (client.destroyed) server.destroy();
  }

  destroy(): void {
    for (const side of this.#sides) side.destroy();
  }
}

/** What one side sends to the other, in order. */
class Way {
  readonly #to: Socket;
  readonly #network: Network;
  readonly #isSwallowed: () => boolean;
  #held: (() => void)[] = [];
  #delayed = 0;
  /** Settles with the last of those that are delayed. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(from: Socket, to: Socket, network: Network, isSwallowed: () => boolean) {
    this.#to = to;
    this.#network = network;
    this.#isSwallowed = isSwallowed;
    from.on('data', (bytes) => this.#pass(() => to.write(bytes)));
    from.on('end', () => this.#pass(() => to.end()));
    from.on('error', () => undefined);
    from.on('close', (hadError) => this.#pass(() => (hadError ? to.destroy() : to.end())));
  }

  flush(): void {
    for (const deliver of this.#held.splice(0)) this.#deliver(deliver);
  }

  #pass(deliver: () => void): void {
    const { mode, delayMs } = this.#network;
    if (mode === 'swallow' || this.#isSwallowed()) return;
    if (mode === 'hold' || this.#held.length > 0) this.#held.push(deliver);
    else if (delayMs === 0 && this.#delayed === 0) this.#deliver(deliver);
    else {
      this.#delayed += 1;
      this.#last = Promise.all([this.#last, sleep(delayMs)]).then(() => {
        this.#delayed -= 1;
        // A partition may have begun meanwhile.
        if (this.#network.mode === 'hold' || this.#held.length > 0) this.#held.push(deliver);
        else if (this.#network.mode === 'pass' && !this.#isSwallowed()) this.#deliver(deliver);
      });
    }
  }

  #deliver(deliver: () => void): void {
    if (!this.#to.destroyed && this.#to.writable) deliver();
  }
}
