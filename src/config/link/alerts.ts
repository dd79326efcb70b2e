import { suggest } from '../../diagnostics/closest.ts';
import type { Problem } from '../../diagnostics/problem.ts';
import type { AlertReceiverDocument, AlertRuleDocument, GatewayDocument } from '../documents.gen.ts';
import { triggerId } from '../trigger-key.ts';
import { faultsOf, receiverName, ruleName } from './alert-config.ts';
import { type DocumentSet, errorAt, type InFile } from './document-set.ts';
import { duplicates } from './duplicates.ts';
import { limitsOf } from './limit-config.ts';
import { listsOf } from './limits.ts';
import { unknownProject } from './projects.ts';

/** Rules and receivers have names of their own, and what rules name exists. */
export function alertProblems(documents: DocumentSet): readonly Problem[] {
  return documents.gateways.flatMap((gateway) => {
    const { file, document } = gateway;
    const { to = [], rules = [] } = document.alerts ?? {};
    const receivers = to.map(receiverName);
    return [
      ...duplicates(
        receivers.map((identity, index) => ({ identity, place: { file, pointer: `/alerts/to/${index}` } })),
        documents,
        { code: 'duplicate_alert', what: 'a receiver with this name', hint: 'Give each a name of its own.' },
      ),
      ...duplicates(
        rules.map((rule, index) => ({ identity: ruleName(rule), place: { file, pointer: `/alerts/rules/${index}` } })),
        documents,
        { code: 'duplicate_alert', what: 'an alert with this name', hint: 'Give each a name of its own.' },
      ),
      ...to.flatMap((receiver, index) => receiverProblems(receiver, file, `/alerts/to/${index}`)),
      ...rules.flatMap((rule, index) => ruleProblems(rule, { gateway, documents, receivers, index })),
    ];
  });
}

function receiverProblems(
  { format, url, secret }: AlertReceiverDocument,
  file: string,
  pointer: string,
): readonly Problem[] {
  if (format === 'standard') {
    if (secret !== undefined) return [];
    const hint = 'For example secret: { env: ALERT_SECRET }, or format: slack for a receiver of such messages.';
    return [errorAt(file, pointer, 'missing_field', '"secret" is missing: it signs the messages', hint)];
  }
  return [
    ...(typeof url === 'string'
      ? [
          errorAt(
            file,
            `${pointer}/url`,
            'literal_secret',
            'the URL of a slack receiver holds its token',
            'Write { env: NAME } or { file: PATH } here: the repository must not hold it.',
          ),
        ]
      : []),
    ...(secret === undefined
      ? []
      : [errorAt(file, `${pointer}/secret`, 'bad_alert', 'messages in the slack format are not signed', 'Remove it.')]),
  ];
}

interface RuleContext {
  readonly gateway: InFile<GatewayDocument>;
  readonly documents: DocumentSet;
  readonly receivers: readonly string[];
  readonly index: number;
}

function ruleProblems(
  rule: AlertRuleDocument,
  { gateway: { file }, documents, receivers, index }: RuleContext,
): readonly Problem[] {
  const pointer = `/alerts/rules/${index}`;
  const { project, trigger, limit, to = [] } = rule;
  return [
    ...faultsOf(rule).map(({ field, message, hint }) =>
      errorAt(file, `${pointer}/${field}`, 'bad_alert', message, hint),
    ),
    ...(project === undefined ? [] : unknownProject(documents, project, file, `${pointer}/project`)),
    ...(trigger === undefined ? [] : unknownTrigger(documents, trigger, file, `${pointer}/trigger`)),
    ...(limit === undefined ? [] : unknownLimit(documents, limit, file, `${pointer}/limit`)),
    ...to.flatMap((name, place) =>
      receivers.includes(name)
        ? []
        : [
            errorAt(
              file,
              `${pointer}/to/${place}`,
              'unknown_receiver',
              `there is no receiver "${name}"`,
              suggest(name, receivers, 'receivers'),
            ),
          ],
    ),
  ];
}

/** Reports that no trigger has this name, unless a faulty file may declare it. */
export function unknownTrigger(
  documents: DocumentSet,
  name: string,
  file: string,
  pointer: string,
): readonly Problem[] {
  const known = documents.triggers.map(({ document: { project, key } }) => `${project}/${key}`);
  const [project = '', key = ''] = name.split('/');
  const isKnown = documents.triggers.some(
    ({ document }) => triggerId(document.project, document.key) === triggerId(project, key),
  );
  if (isKnown || documents.mayDeclare('Trigger')) return [];
  return [errorAt(file, pointer, 'unknown_trigger', `there is no trigger "${name}"`, suggest(name, known, 'triggers'))];
}

function unknownLimit(documents: DocumentSet, name: string, file: string, pointer: string): readonly Problem[] {
  const limits = listsOf(documents).flatMap(limitsOf);
  if (limits.some((limit) => limit.name === name || limit.id === name)) return [];
  if (['Project', 'Trigger', 'ApiKey'].some((kind) => documents.mayDeclare(kind as 'Project'))) return [];
  const names = limits.map((limit) => limit.name);
  return [errorAt(file, pointer, 'unknown_limit', `there is no limit "${name}"`, suggest(name, names, 'limits'))];
}
