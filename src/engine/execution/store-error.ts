/** A store that is out of reach for now: nothing was changed, and the same may succeed later. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
