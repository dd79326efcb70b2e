/** Why runs and recorded requests cannot be reached; the message is for the user. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
}
