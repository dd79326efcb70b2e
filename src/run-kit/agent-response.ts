import type { FailedRunResult, JsonValue, OutboundResponse } from '../contract/index.ts';
import { parseAgentJson, parsed, textOf } from './agent-json.ts';
import { AgentFault, failed, failureOfStatus, withDetail } from './failures.ts';

/** How much of the body of an error is kept, in bytes, and how long it may take, in milliseconds. */
const excerptBytes = 4096;
/** The longest body of an error that is searched for what it reports. */
const errorBytes = 65_536;
const excerptMs = 2_000;

/** A response of an agent. Read it once: as `body`, `bytes`, `text` or `json`; as a `failure`; or `discard` it. */
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

  /** The failure that an unsuccessful status means, with the start of the body as its `detail`. Never rejects. */
  async failure(): Promise<FailedRunResult> {
    return withDetail(failureOfStatus(this), await this.excerpt());
  }

  /**
   * The first 4 KiB of the body as text, within 2 seconds, for `detail` of a failure, with `…` at the end if there is more;
   * undefined if it is empty or compressed.
   * Never rejects. Otherwise as `discard`.
   */
  excerpt(): Promise<string | undefined> {
    return this.#start(excerptBytes);
  }

  /**
   * As `failure`, and what a JSON body of at most 64 KiB says; undefined if it is longer or no JSON. Never rejects.
   */
  async failureAndBody(): Promise<{ readonly failure: FailedRunResult; readonly body: JsonValue | undefined }> {
    const text = (await this.#start(errorBytes)) ?? '';
    const json = parseAgentJson(text);
    const bytes = Buffer.from(text);
    const start = bytes.length > excerptBytes ? `${bytes.toString('utf8', 0, excerptBytes)}…` : text;
    return { failure: withDetail(failureOfStatus(this), start), body: json.ok ? json.value : undefined };
  }

  async #start(mostBytes: number): Promise<string | undefined> {
    const { 'content-encoding': encoding = 'identity' } = this.headers;
    if (encoding !== 'identity') {
      await this.discard();
      return undefined;
    }
    const chunks: Uint8Array[] = [];
    let missing = mostBytes;
    const timer = setTimeout(() => this.#cut(), excerptMs);
    try {
      for await (const chunk of this.#response.body) {
        chunks.push(chunk.subarray(0, missing));
        missing -= chunk.length;
        if (missing <= 0) break;
      }
    } catch {
      // What has arrived is better than nothing.
    } finally {
      clearTimeout(timer);
      if (missing <= 0) this.#cut();
      this.#onRead();
    }
    // Bytes that are no UTF-8 are replaced: nobody parses it.
    const text = Buffer.concat(chunks).toString('utf8');
    return missing < 0 ? `${text}…` : text || undefined;
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
