/** What keeps runs and recorded requests from being reached, in words for the user. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
}
