/** Of every answer of the admin listener: no page of another site can read it, embed it, or have it guessed at. */
export const adminHeaders = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/**
 * The address of the client, as the process with the shared listener reports it to the one that answers. Only a listener on a socket
 * of its own, which no other process reaches, reads it.
 */
export const peerHeader = 'x-pullcord-peer';
