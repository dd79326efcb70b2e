import type { JsonValue, OutboundResponse } from '../contract/index.ts';
import { parsed, textOf } from './agent-json.ts';
import { AgentFault, failed } from './failures.ts';

/** A response of an agent. Read it once: as `body`, `bytes`, `text` or `json`; or `discard` it. */
export class AgentResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: OutboundResponse['headers'];
  readonly #response: OutboundResponse;
  readonly #cut: () => void;
  readonly #onRead: () => void;

  /**
   * @param cut ends the connection
   * @param onRead called when the whole body has been read or dropped
   */
  constructor(response: OutboundResponse, cut: () => void, onRead: () => void = () => {}) {
    this.status = response.status;
    this.headers = response.headers;
    this.#response = response;
    this.#cut = cut;
    this.#onRead = onRead;
  }

  /** Whether the status is one of success (2xx). */
  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  /** The type without its parameters, in lower case; empty without one. */
  get mediaType(): string {
    const [type = ''] = String(this.headers['content-type'] ?? '').split(';', 1);
    return type.trim().toLowerCase();
  }

  /** The bytes as they arrive. Throws an AgentFault if they are compressed, which was not asked for. */
  get body(): AsyncIterable<Uint8Array> {
    this.#checkEncoding();
    return this.#response.body;
  }

  /** The whole body. Rejects with an OutboundError or an AgentFault. */
  async bytes(): Promise<Uint8Array> {
    this.#checkEncoding();
    try {
      return await this.#response.bytes();
    } finally {
      this.#onRead();
    }
  }

  /** The whole body as text. Rejects as `bytes`, and with an AgentFault if it is not UTF-8. */
  async text(): Promise<string> {
    return textOf(await this.bytes());
  }

  /** The whole body as JSON. Rejects as `text`, and with an AgentFault if `parseAgentJson` refuses it. */
  async json(): Promise<JsonValue> {
    return parsed(await this.text());
  }

  /** Lets the connection serve other calls: reads a short body and drops a long one. Never rejects. */
  async discard(): Promise<void> {
    await this.#response.discard();
    this.#onRead();
  }

  /** Ends the connection. */
  cut(): void {
    this.#cut();
    this.#onRead();
  }

  #checkEncoding(): void {
    const encoding = this.headers['content-encoding'];
    if (encoding === undefined || encoding === 'identity') return;
    this.#cut();
    throw new AgentFault(failed('agent answered in a content encoding that it was not asked for'));
  }
}
