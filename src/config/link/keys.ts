import { suggest } from '../../diagnostics/closest.ts';
import type { Problem } from '../../diagnostics/problem.ts';
import type { ApiKeyDocument } from '../documents.gen.ts';
import { triggerId } from '../trigger-key.ts';
import { adminSecrets } from './admin.ts';
import { type DocumentSet, errorAt, type InFile } from './document-set.ts';
import { duplicates } from './duplicates.ts';
import { unknownProject } from './projects.ts';

/** Ids and secrets of API keys are unique, and the projects that they grant exist. */
export function keyProblems(documents: DocumentSet): readonly Problem[] {
  const { apiKeys } = documents;
  const triggers = new Map(
    documents.triggers.map(({ document: { project, key } }) => [triggerId(project, key), `${project}/${key}`]),
  );
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
    ...duplicates([...secrets, ...adminSecrets(documents)], documents, {
      code: 'duplicate_secret',
      what: 'the same secret',
      hint: 'A secret must identify one caller: create another one with `pullcord keys create`.',
    }),
    ...apiKeys.flatMap((apiKey) => [
      ...permissionProblems(apiKey),
      ...projectGrantProblems(apiKey, documents),
      ...triggerGrantProblems(apiKey, documents, triggers),
      ...browserProblems(apiKey),
    ]),
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

/** @param known the names of all triggers, by their ids */
function triggerGrantProblems(
  { file, document }: InFile<ApiKeyDocument>,
  documents: DocumentSet,
  known: ReadonlyMap<string, string>,
): readonly Problem[] {
  const { triggers = [], projects } = document;
  return triggers.flatMap((name, index): readonly Problem[] => {
    const [project = '', key = ''] = name.split('/');
    const pointer = `/triggers/${index}`;
    if (!projects.includes('*') && !projects.includes(project)) {
      const message = `the key has no access to project "${project}"`;
      return [errorAt(file, pointer, 'unknown_trigger', message, `Add ${project} to projects, or remove the trigger.`)];
    }
    if (known.has(triggerId(project, key)) || documents.mayDeclare('Trigger')) return [];
    const message = `there is no trigger "${name}"`;
    return [errorAt(file, pointer, 'unknown_trigger', message, suggest(name, [...known.values()], 'triggers'))];
  });
}

/** What everyone can read must open as little as possible. */
function browserProblems({ file, document }: InFile<ApiKeyDocument>): readonly Problem[] {
  if (document.use !== 'browser') return [];
  const { origins, triggers, permissions } = document;
  const fault = (pointer: string, message: string, hint: string) =>
    errorAt(file, pointer, 'browser_key', message, hint);
  const star = origins?.indexOf('*') ?? -1;
  return [
    ...(origins === undefined
      ? [
          fault(
            '/use',
            'a browser key must name the origins of its pages',
            'For example origins: [https://www.example.com]',
          ),
        ]
      : []),
    ...(star === -1
      ? []
      : [
          fault(
            `/origins/${star}`,
            'a browser key must not be used from every page',
            'List the origins of your pages.',
          ),
        ]),
    ...(triggers === undefined
      ? [fault('/use', 'a browser key must name its triggers', 'For example triggers: [support/ask]')]
      : []),
    ...permissions.flatMap((permission, index) =>
      permission === 'project.trigger'
        ? []
        : [
            fault(
              `/permissions/${index}`,
              `a browser key must not have ${permission}`,
              'Remove it, or use a server key.',
            ),
          ],
    ),
  ];
}
