import type { StatusDocument } from '../runtime/status/status-document.gen.ts';
import type { StatusAccess } from './access.ts';
import { type AdminClient, listIn } from './admin-client.ts';

/** The status of a running gateway, through its admin listener. */
export class AdminStatus implements StatusAccess {
  readonly #client: AdminClient;

  constructor(client: AdminClient) {
    this.#client = client;
  }

  async read(): Promise<StatusDocument> {
    const { body } = await this.#client.ask('GET', '/status');
    listIn(body, 'attention', this.#client);
    return body;
  }
}
