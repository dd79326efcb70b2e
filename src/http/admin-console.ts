import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ConsoleFile, ConsoleFiles } from './console-files.ts';

/** What the page may do: load its own files, and call the admin API. No text becomes code, and no other page embeds it. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const pageHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

const notBuilt =
  'The console is not built. In a checkout, build it with: npm run build\n' +
  'What it would show is also in the admin API and in the commands of pullcord.\n';

/** The console: its page and its files, which reveal nothing and need no token, since a page signs in by itself. */
export function registerConsole(app: FastifyInstance, files: ConsoleFiles): void {
  const open = { config: { isOpen: true } };
  app.get('/', open, async (request, reply) => {
    const page = await files.file('index.html');
    if (page === undefined) return reply.code(404).type('text/plain; charset=utf-8').send(notBuilt);
    return sendFile(request, reply.headers(pageHeaders), page);
  });
  app.get<{ Params: { '*': string } }>('/console/*', open, async (request, reply) => {
    const file = await files.file(`console/${request.params['*']}`);
    if (file === undefined) return reply.callNotFound();
    // The names of all but the icon have a hash of what they hold.
    const isHashed = /-[\w-]{8}\.\w+$/.test(request.params['*']);
    return sendFile(
      request,
      isHashed ? reply.header('cache-control', 'public, max-age=31536000, immutable') : reply,
      file,
    );
  });
}

function sendFile(request: FastifyRequest, reply: FastifyReply, { type, bytes, gzipped }: ConsoleFile): FastifyReply {
  reply.type(type).header('vary', 'accept-encoding');
  const isCompressed = gzipped !== undefined && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  return isCompressed ? reply.header('content-encoding', 'gzip').send(gzipped) : reply.send(bytes);
}
