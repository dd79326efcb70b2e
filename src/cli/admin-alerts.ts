import type { JsonObject } from '../contract/index.ts';
import type { AlertsAccess } from './access.ts';
import { type AdminClient, listIn, queryOf } from './admin-client.ts';

/** The alerts of a running gateway, through its admin listener. */
export class AdminAlerts implements AlertsAccess {
  readonly #client: AdminClient;

  constructor(client: AdminClient) {
    this.#client = client;
  }

  async list(): Promise<readonly JsonObject[]> {
    const { body } = await this.#client.ask('GET', '/alerts');
    return listIn(body, 'alerts', this.#client);
  }

  async test(name: string): Promise<readonly JsonObject[] | undefined> {
    const { status, body } = await this.#client.ask('POST', `/alerts/test${queryOf({ name })}`);
    return status === 404 ? undefined : listIn(body, 'receivers', this.#client);
  }
}
