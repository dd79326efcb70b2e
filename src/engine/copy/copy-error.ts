/** Why a store cannot be copied, fit for users. Never names a URL: it may have a password. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
}
