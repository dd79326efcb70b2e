import type { Problem } from '../../diagnostics/problem.ts';
import type { GatewayDocument } from '../documents.gen.ts';
import { isDemoSecret } from './demo-key.ts';
import { type DocumentSet, errorAt, type InFile } from './document-set.ts';
import { isLoopback } from './loopback.ts';

/** Listeners and keys that are safe on this machine only must not be reachable from others. */
export function exposureProblems(documents: DocumentSet): readonly Problem[] {
  const [gateway] = documents.gateways;
  return gateway ? [...adminProblems(gateway), ...demoKeyProblems(documents, gateway)] : [];
}

function adminProblems({ file, document: { admin, server } }: InFile<GatewayDocument>): readonly Problem[] {
  const problems: Problem[] = [];
  if (!isLoopback(admin.host) && admin.token === undefined && admin.tokens.length === 0) {
    const message = 'the admin listener can be reached from other machines and has no token';
    const hint = 'Create one with `pullcord keys create --admin`, or listen on 127.0.0.1.';
    problems.push(errorAt(file, '/admin/host', 'admin_token_required', message, hint));
  }
  if (admin.port !== 0 && admin.port === server.port) {
    const hint = 'Give the admin listener a port of its own.';
    problems.push(errorAt(file, '/admin/port', 'port_conflict', 'the public listener has the same port', hint));
  }
  return problems;
}

function demoKeyProblems({ apiKeys }: DocumentSet, { document }: InFile<GatewayDocument>): readonly Problem[] {
  if (isLoopback(document.server.host)) return [];
  return apiKeys.flatMap(({ file, document: { secrets, status } }) =>
    secrets.flatMap(({ hash }, index) => {
      if (status === 'revoked' || !isDemoSecret(hash.replace(/^sha256:/, ''))) return [];
      const message = 'the secret of a demo key is public, and the gateway can be reached from other machines';
      const hint = 'Delete this file and create a key with `pullcord keys create`, or set server.host to 127.0.0.1.';
      return [errorAt(file, `/secrets/${index}/hash`, 'demo_key_exposed', message, hint)];
    }),
  );
}
