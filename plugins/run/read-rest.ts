/** How long the rest of a stream may take after the last event that counts, in milliseconds. */
const restMs = 1_000;

/**
 * Reads to the end of a stream, which keeps its connection for the next run. Never rejects.
 * @param cut ends the connection
 */
export async function readRest(stream: AsyncIterator<unknown>, cut: () => void): Promise<void> {
  const timer = setTimeout(cut, restMs);
  try {
    while (!(await stream.next()).done);
  } catch {
    // The connection is lost, which concerns nobody any more.
  } finally {
    clearTimeout(timer);
  }
}
