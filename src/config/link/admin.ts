import type { Problem } from '../../diagnostics/problem.ts';
import type { GatewayDocument } from '../documents.gen.ts';
import { type DocumentSet, errorAt, type InFile } from './document-set.ts';
import { type Claimed, duplicates } from './duplicates.ts';

/** Who acts without a token: no token may have this id, or the audit trail would confuse the two. */
const reservedId = 'loopback';

/** Ids of the admin listener's tokens are unique; `token` names `admin.token`. */
export function adminProblems(documents: DocumentSet): readonly Problem[] {
  return documents.gateways.flatMap((gateway) => [...duplicateIds(gateway, documents), ...reservedIds(gateway)]);
}

/** The digests of the admin listener's tokens: no other caller may have the same secret. */
export function adminSecrets({ gateways }: DocumentSet): readonly Claimed[] {
  return gateways.flatMap(({ file, document: { admin } }) =>
    admin.tokens.map(({ hash }, index) => ({
      identity: hash,
      place: { file, pointer: `/admin/tokens/${index}/hash` },
    })),
  );
}

function duplicateIds({ file, document: { admin } }: InFile<GatewayDocument>, documents: DocumentSet): Problem[] {
  const single = admin.token === undefined ? [] : [{ identity: 'token', place: { file, pointer: '/admin/token' } }];
  const listed = admin.tokens.map(({ id }, index) => ({
    identity: id,
    place: { file, pointer: `/admin/tokens/${index}/id` },
  }));
  return duplicates([...single, ...listed], documents, {
    code: 'duplicate_admin_token',
    what: 'an admin token with this id',
    hint: 'Give one of the tokens another id; `token` is the id of admin.token.',
  });
}

function reservedIds({ file, document: { admin } }: InFile<GatewayDocument>): readonly Problem[] {
  return admin.tokens.flatMap(({ id }, index) => {
    if (id !== reservedId) return [];
    const message = `the id ${reservedId} names requests without a token in the audit trail`;
    const pointer = `/admin/tokens/${index}/id`;
    return [errorAt(file, pointer, 'duplicate_admin_token', message, 'Give the token another id.')];
  });
}
