/** The most that a byte of a body takes in memory once it is parsed, whatever it says. */
export const mostPerByte = 41;

/** What a request takes beside its body: headers, and the objects of the gateway. */
export const requestOverhead = 4096;

/** How much of `server.memory` requests can fill. The rest is for what has been accepted: inputs, outputs, deltas, replies. */
export const requestShare = 7 / 8;

/** What `server.memory` must be at least: a body at `server.bodyLimit` has room, whatever it says. */
export function leastMemoryBytes(bodyLimitBytes: number): number {
  return Math.ceil((bodyLimitBytes * mostPerByte + requestOverhead) / requestShare);
}
