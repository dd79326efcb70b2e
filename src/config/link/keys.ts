import type { Problem } from '../../diagnostics/problem.ts';
import type { ApiKeyDocument } from '../documents.gen.ts';
import { type DocumentSet, errorAt, type InFile } from './document-set.ts';
import { duplicates } from './duplicates.ts';
import { unknownProject } from './projects.ts';

/** Ids and secrets of API keys are unique, and the projects that they grant exist. */
export function keyProblems(documents: DocumentSet): readonly Problem[] {
  const { apiKeys } = documents;
  const ids = apiKeys.map(({ file, document }) => ({ identity: document.id, place: { file, pointer: '/id' } }));
  const secrets = apiKeys.flatMap(({ file, document }) =>
    document.secrets.map(({ hash }, index) => ({ identity: hash, place: { file, pointer: `/secrets/${index}/hash` } })),
  );
  return [
    ...duplicates(ids, documents, {
      code: 'duplicate_key_id',
      what: 'an API key with this id',
      hint: 'Give one of the keys another id.',
    }),
    ...duplicates(secrets, documents, {
      code: 'duplicate_secret',
      what: 'the same secret',
      hint: 'A secret must identify one caller: create another one with `pullcord keys create`.',
    }),
    ...apiKeys.flatMap((apiKey) => [...permissionProblems(apiKey), ...projectGrantProblems(apiKey, documents)]),
  ];
}

function permissionProblems({ file, document }: InFile<ApiKeyDocument>): readonly Problem[] {
  if (document.permissions.length > 0) return [];
  const hint = 'Write [project.trigger], or revoke the key with `status: revoked`.';
  return [errorAt(file, '/permissions', 'empty_permissions', 'the key has no permissions', hint)];
}

function projectGrantProblems({ file, document }: InFile<ApiKeyDocument>, documents: DocumentSet): readonly Problem[] {
  const { projects } = document;
  if (projects.length === 0) {
    const hint = 'Name projects, or write ["*"] for all of them.';
    return [errorAt(file, '/projects', 'empty_projects', 'the key has access to no project', hint)];
  }
  if (projects.includes('*')) {
    if (projects.length === 1) return [];
    const hint = 'Write ["*"], or name the projects.';
    return [errorAt(file, '/projects', 'mixed_projects', '"*" means all projects, so no others may be listed', hint)];
  }
  return projects.flatMap((id, index) => unknownProject(documents, id, file, `/projects/${index}`));
}
