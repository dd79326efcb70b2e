import { suggest } from '../diagnostics/closest.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { type DocumentSet, errorAt, type InFile } from './document-set.ts';
import type { TriggerDocument } from './documents.gen.ts';
import { duplicates } from './duplicates.ts';
import { unknownProject } from './link-projects.ts';
import type { StageResolver } from './stage-resolver.ts';

/** Keys and names of triggers are unique, their project exists, and there is something to run. */
export function triggerProblems(documents: DocumentSet, stages: StageResolver): readonly Problem[] {
  const { triggers, gateways } = documents;
  const isPerProject = gateways[0]?.document.triggerKeys.unique !== 'organization';
  const keys = triggers.map(({ file, document: { key, project } }) => ({
    identity: `${isPerProject ? `${project}/` : ''}${key.toLowerCase()}`,
    place: { file, pointer: '/key' },
  }));
  const names = triggers.flatMap(({ file, document: { name, project } }) =>
    name === undefined ? [] : [{ identity: `${project}/${name}`, place: { file, pointer: '/name' } }],
  );
  return [
    ...duplicates(keys, documents, {
      code: 'duplicate_trigger_key',
      what: 'a trigger with this key (case does not count)',
      hint: `Trigger keys are unique in the ${isPerProject ? 'project' : 'organization'}: choose another.`,
    }),
    ...duplicates(names, documents, {
      code: 'duplicate_trigger_name',
      what: 'a trigger of this project with this name',
      hint: 'Names tell triggers apart in logs: choose another.',
    }),
    ...triggers.flatMap((trigger) => [
      ...unknownProject(documents, trigger.document.project, trigger.file, '/project'),
      ...missingRun(trigger, documents, stages),
      ...testProblems(trigger, documents, stages),
    ]),
  ];
}

function missingRun(
  trigger: InFile<TriggerDocument>,
  documents: DocumentSet,
  stages: StageResolver,
): readonly Problem[] {
  const { project } = trigger.document;
  const isProjectKnown = documents.projects.some(({ document }) => document.id === project);
  // Without its project or the gateway it is not known what the defaults are.
  if (stages.stage(trigger, 'run') || !isProjectKnown || documents.gateways.length === 0) return [];
  const hint = 'Add `run: { uses: … }` here, or to `defaults` of the project or the gateway.';
  return [errorAt(trigger.file, '/run', 'missing_run', 'the trigger does not say what to run', hint)];
}

function testProblems(
  trigger: InFile<TriggerDocument>,
  documents: DocumentSet,
  stages: StageResolver,
): readonly Problem[] {
  const { file, document } = trigger;
  const filterNames = stages.filters(trigger).map(({ name }) => name);
  const keyIds = documents.apiKeys.map((apiKey) => apiKey.document.id);
  return document.tests.flatMap(({ key, expect: { by } }, index) => {
    const problems: Problem[] = [];
    if (by !== undefined && !filterNames.includes(by)) {
      const message = `the trigger has no filter "${by}"`;
      problems.push(
        errorAt(file, `/tests/${index}/expect/by`, 'unknown_filter', message, suggest(by, filterNames, 'filters')),
      );
    }
    if (key !== undefined && !keyIds.includes(key) && !documents.mayDeclare('ApiKey', key)) {
      const message = `there is no API key "${key}"`;
      problems.push(errorAt(file, `/tests/${index}/key`, 'unknown_key', message, suggest(key, keyIds, 'API keys')));
    }
    return problems;
  });
}
