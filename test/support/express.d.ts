/** What the tests use of it: express comes without types. */
declare module 'express' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

  type Handler = (request: IncomingMessage & { body?: unknown }, response: ServerResponse, next: () => void) => void;
  type App = RequestListener & { use(...handlers: readonly (string | Handler | unknown)[]): App };

  export default function express(): App;
  export function json(): Handler;
}
