import { stages } from '../../contract/index.ts';
import { suggest } from '../../diagnostics/closest.ts';
import type { Problem } from '../../diagnostics/problem.ts';
import { writeSize } from '../../schema/units.ts';
import type { EarlierRequestDocument, TriggerDocument, TriggerTestFileDocument } from '../documents.gen.ts';
import { mapInSlices } from '../slices.ts';
import { descriptorOf } from '../stages.ts';
import { foldKey, sameKey } from '../trigger-key.ts';
import { type DocumentSet, errorAt, type InFile } from './document-set.ts';
import { duplicates } from './duplicates.ts';
import { unknownProject } from './projects.ts';
import type { ResolvedStages } from './resolve-stages.ts';

/** Keys and names of triggers are unique, their project exists, and required stages are declared. */
export async function triggerProblems(documents: DocumentSet, resolved: ResolvedStages): Promise<readonly Problem[]> {
  const { triggers, gateways } = documents;
  const isPerProject = gateways[0]?.document.triggerKeys.unique !== 'organization';
  const keys = triggers.map(({ file, document: { key, project } }) => ({
    identity: `${isPerProject ? `${project}/` : ''}${foldKey(key)}`,
    place: { file, pointer: '/key' },
    project,
  }));
  const names = triggers.flatMap(({ file, document: { name, project } }) =>
    name === undefined ? [] : [{ identity: `${project}/${name}`, place: { file, pointer: '/name' } }],
  );
  const ofEach = await mapInSlices(triggers, (trigger) => [
    ...unknownProject(documents, trigger.document.project, trigger.file, '/project'),
    ...missingStages(trigger, documents, resolved),
    ...testProblems(trigger, documents, resolved),
    ...recordingProblems(trigger),
    ...bodyProblems(trigger, documents, resolved),
  ]);
  return [
    ...duplicates(keys, documents, {
      code: 'duplicate_trigger_key',
      what: 'a trigger with this key (case does not count)',
      hint: ({ project }, other) => {
        const unique = `Trigger keys are unique in the ${isPerProject ? 'project' : 'organization'}: choose another`;
        return project === other.project
          ? `${unique}.`
          : `${unique}, or set \`triggerKeys.unique: project\` in the Gateway.`;
      },
    }),
    ...duplicates(names, documents, {
      code: 'duplicate_trigger_name',
      what: 'a trigger of this project with this name',
      hint: 'Names distinguish triggers in logs: choose another.',
    }),
    ...ofEach.flat(),
    ...documents.triggerTests.flatMap((tests) => unknownTrigger(tests, documents)),
  ];
}

function missingStages(
  trigger: InFile<TriggerDocument>,
  documents: DocumentSet,
  resolved: ResolvedStages,
): readonly Problem[] {
  const { project } = trigger.document;
  const isProjectKnown = documents.projects.some(({ document }) => document.id === project);
  // Without its project and the Gateway, the defaults are unknown.
  if (!isProjectKnown || documents.gateways.length === 0) return [];
  return stages.flatMap((stage) => {
    const { missing } = descriptorOf(stage);
    if (missing === undefined || resolved.triggers.get(trigger)?.uses[stage].length !== 0) return [];
    const hint = `Add \`${stage}: { uses: … }\` here, or to \`defaults\` of the project or the gateway.`;
    return [errorAt(trigger.file, `/${stage}`, missing.code, missing.message, hint)];
  });
}

function testProblems(
  trigger: InFile<TriggerDocument>,
  documents: DocumentSet,
  resolved: ResolvedStages,
): readonly Problem[] {
  const filterNames = (resolved.triggers.get(trigger)?.uses.filter ?? []).map(({ name }) => name);
  const keyIds = documents.apiKeys.map((apiKey) => apiKey.document.id);
  const all = [trigger, ...documents.testsOf(trigger)].flatMap(({ file, document: { tests } }) =>
    tests.map((test, index) => ({ file, pointer: `/tests/${index}`, test })),
  );
  const unknownKey = (file: string, pointer: string, key: string | undefined): readonly Problem[] => {
    if (key === undefined || keyIds.includes(key) || documents.mayDeclare('ApiKey', key)) return [];
    const message = `there is no API key "${key}"`;
    return [errorAt(file, `${pointer}/key`, 'unknown_key', message, suggest(key, keyIds, 'API keys'))];
  };
  const severalBodies = (
    file: string,
    pointer: string,
    request: Omit<EarlierRequestDocument, 'times'>,
  ): readonly Problem[] => {
    const [first, second] = (['body', 'form', 'text'] as const).filter((name) => request[name] !== undefined);
    if (first === undefined || second === undefined) return [];
    const message = `the request has a body already: ${first}`;
    return [errorAt(file, `${pointer}/${second}`, 'misplaced_field', message, 'Remove one of them.')];
  };
  return all.flatMap(({ file, pointer, test }) => {
    const { key, after = [], expect } = test;
    const { by } = expect;
    // The limit that refuses a request may be one of its project, the gateway or its caller.
    const isUnknownFilter = by !== undefined && expect.verdict !== 'limited' && !filterNames.includes(by);
    const message = `the trigger has no filter "${by}"`;
    const hint = isUnknownFilter ? suggest(by, filterNames, 'filters') : '';
    return [
      ...(isUnknownFilter ? [errorAt(file, `${pointer}/expect/by`, 'unknown_filter', message, hint)] : []),
      ...unknownKey(file, pointer, key),
      ...severalBodies(file, pointer, test),
      ...after.flatMap((earlier, index) => severalBodies(file, `${pointer}/after/${index}`, earlier)),
      ...after.flatMap((earlier, index) => unknownKey(file, `${pointer}/after/${index}`, earlier.key)),
    ];
  });
}

/** The size of recorded requests is bounded for all triggers together. */
function recordingProblems({ file, document: { recording } }: InFile<TriggerDocument>): readonly Problem[] {
  const { keep } = recording ?? {};
  if (typeof keep !== 'object' || keep.size === undefined) return [];
  const message = 'the size of recorded requests is bounded for all triggers together';
  const hint = 'Set it in `recording` of the Gateway, or limit the count of this trigger.';
  return [errorAt(file, '/recording/keep/size', 'misplaced_field', message, hint)];
}

/** The whole body is read within the limit of the gateway, before the trigger's matters. */
function bodyProblems(
  trigger: InFile<TriggerDocument>,
  { gateways: [gateway] }: DocumentSet,
  resolved: ResolvedStages,
): readonly Problem[] {
  const { file, pointer, value } = resolved.triggers.get(trigger)?.settings.body ?? {};
  const most = gateway?.document.server.bodyLimit;
  if (file === undefined || value?.limit === undefined || most === undefined || value.limit <= most) return [];
  const message = `must be at most ${writeSize(most)}, the gateway's server.bodyLimit`;
  return [errorAt(file, `${pointer}/limit`, 'out_of_range', message, 'Lower it, or raise server.bodyLimit.')];
}

function unknownTrigger(
  { file, document: { project, trigger } }: InFile<TriggerTestFileDocument>,
  documents: DocumentSet,
): readonly Problem[] {
  const keys = documents.triggers.flatMap(({ document }) => (document.project === project ? [document.key] : []));
  const isKnown = keys.some((key) => sameKey(key, trigger));
  if (isKnown || documents.mayDeclare('Trigger')) return unknownProject(documents, project, file, '/project');
  const message = `there is no trigger "${trigger}" in project "${project}"`;
  return [
    ...unknownProject(documents, project, file, '/project'),
    errorAt(file, '/trigger', 'unknown_trigger', message, suggest(trigger, keys, 'triggers of the project')),
  ];
}
