import type { NodesDocument } from '../runtime/nodes/nodes-document.gen.ts';
import type { NodesAccess } from './access.ts';
import { type AdminClient, listIn } from './admin-client.ts';

/** The nodes that share the engine of a running gateway, through its admin listener. */
export class AdminNodes implements NodesAccess {
  readonly #client: AdminClient;

  constructor(client: AdminClient) {
    this.#client = client;
  }

  async list(): Promise<NodesDocument> {
    const { body } = await this.#client.ask('GET', '/nodes');
    listIn(body, 'nodes', this.#client);
    return body;
  }
}
