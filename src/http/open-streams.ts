/** A response that is being streamed. */
export interface OpenStream {
  /** Whether its request would be admitted by the current config. Never rejects. */
  isAdmitted(): Promise<boolean>;
  end(): void;
}

/** The streams that are being sent. A caller whose credential was revoked must not continue to read. */
export class OpenStreams {
  readonly #streams = new Set<OpenStream>();

  /** @returns a function that removes the stream */
  add(stream: OpenStream): () => void {
    this.#streams.add(stream);
    return () => void this.#streams.delete(stream);
  }

  /** Ends every stream whose request would not be admitted any more: to be called when the config has changed. */
  recheck(): void {
    for (const stream of this.#streams) void this.#check(stream);
  }

  async #check(stream: OpenStream): Promise<void> {
    if (!(await stream.isAdmitted()) && this.#streams.has(stream)) stream.end();
  }
}
