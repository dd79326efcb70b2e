import { useEffect, useState } from 'preact/hooks';
import type { FilterOutcomes, FilterTrialDocument } from '../../../../src/review/filter-trial.gen.ts';
import type { TriggerStageDocument, TriggersDocument } from '../../../../src/runtime/triggers/triggers-document.gen.ts';
import { postJson } from '../../api/client.ts';
import { useResource } from '../../api/resource.ts';
import { Badge } from '../../components/badge.tsx';
import { Empty, Failure, Loading, ResourceFailure } from '../../components/feedback.tsx';
import { countText, durationText, plural } from '../../components/format.ts';
import { Page, Section } from '../../components/page.tsx';
import { printable } from '../../components/printable.ts';
import { Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { hrefOf, setQuery } from '../../routing/location.ts';
import type { ViewProps } from '../../routing/view-props.ts';
import { PatchDialog } from '../triggers/patch-dialog.tsx';

interface Choice {
  readonly project: string;
  readonly trigger: string;
  readonly stage: TriggerStageDocument & { readonly name: string };
}

/** Another expression for a filter: what it would decide of recorded requests, and the patch that makes it so. */
export default function Filters({ query }: Pick<ViewProps, 'query'>) {
  const triggers = useResource<TriggersDocument>('/triggers?limit=1000');
  const choices = triggers.data === undefined ? [] : choicesIn(triggers.data);
  const chosen =
    choices.find((choice) => isChosen(choice, query)) ?? (query.trigger === undefined ? choices[0] : undefined);
  return (
    <Page title="Filters">
      <ResourceFailure resource={triggers} />
      {triggers.data === undefined && triggers.error === undefined && <Loading what="filters" />}
      {triggers.data !== undefined && choices.length === 0 && (
        <Empty title="No filter has an expression">
          <p>
            A trigger with <code>filter:</code> and a JSONata expression drops what does not fulfil it.
          </p>
        </Empty>
      )}
      {choices.length > 0 && (
        <label class="filters">
          Filter
          <select
            data-filter=""
            value={chosen === undefined ? '' : idOf(chosen)}
            onChange={({ currentTarget }) => {
              const next = choices.find((choice) => idOf(choice) === currentTarget.value);
              if (next !== undefined) setQuery({ trigger: `${next.project}/${next.trigger}`, filter: next.stage.name });
            }}
          >
            {chosen === undefined && <option value="">choose one</option>}
            {choices.map((choice) => (
              <option key={idOf(choice)} value={idOf(choice)}>
                {printable(idOf(choice))}
              </option>
            ))}
          </select>
        </label>
      )}
      {chosen !== undefined && <Trial key={idOf(chosen)} choice={chosen} />}
    </Page>
  );
}

function choicesIn({ triggers }: TriggersDocument): readonly Choice[] {
  return triggers.flatMap(({ project, key, stages }) =>
    stages.flatMap((stage) => {
      const { name } = stage;
      if (stage.stage !== 'filter' || stage.uses !== 'jsonata' || name === undefined) return [];
      return [{ project, trigger: key, stage: { ...stage, name } }];
    }),
  );
}

function idOf({ project, trigger, stage }: Choice): string {
  return `${project}/${trigger}: ${stage.name}`;
}

function isChosen({ project, trigger, stage }: Choice, query: ViewProps['query']): boolean {
  return query.trigger === `${project}/${trigger}` && (query.filter === undefined || query.filter === stage.name);
}

function Trial({ choice }: { readonly choice: Choice }) {
  const { project, trigger, stage } = choice;
  const committed = String(stage.with.expression ?? '');
  const [expression, setExpression] = useState(committed);
  const [trial, setTrial] = useState<FilterTrialDocument>();
  const [failure, setFailure] = useState<string>();
  const [isPatching, setPatching] = useState(false);
  const tryIt = async (): Promise<void> => {
    setFailure(undefined);
    try {
      const filter = stage.name;
      setTrial(await postJson<FilterTrialDocument>('/filters/try', { project, trigger, filter, expression }));
    } catch (error) {
      setTrial(undefined);
      setFailure(String(Object(error).message));
    }
  };
  // What it decides as it is committed is there at once.
  useEffect(() => void tryIt(), []);
  return (
    <>
      <Section
        title="Expression"
        actions={
          <a href={hrefOf(['triggers', project, trigger])} class="mono">
            {printable(stage.provenance)}
          </a>
        }
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void tryIt();
          }}
        >
          <label>
            JSONata over the body
            <textarea
              rows={Math.min(expression.split('\n').length + 2, 16)}
              spellcheck={false}
              value={expression}
              onInput={({ currentTarget }) => setExpression(currentTarget.value)}
            />
          </label>
          <div class="actions">
            <button type="submit" class="primary">
              Try it on recorded requests
            </button>
            <button type="button" disabled={expression === committed} onClick={() => setPatching(true)}>
              Show the patch
            </button>
            <button
              type="button"
              class="quiet"
              disabled={expression === committed}
              onClick={() => setExpression(committed)}
            >
              Undo
            </button>
          </div>
        </form>
        {failure !== undefined && <Failure message={printable(failure)} />}
      </Section>
      {trial !== undefined && <Result trial={trial} />}
      {isPatching && (
        <PatchDialog
          title="Another expression"
          {...{ project, trigger, change: { filter: stage.name, expression }, close: () => setPatching(false) }}
        />
      )}
    </>
  );
}

function Result({ trial }: { readonly trial: FilterTrialDocument }) {
  const { judged, notJudged, committed, tried, changes, hasMore, durationMs } = trial;
  const rows: readonly (FilterOutcomes & { readonly name: string })[] = [
    { name: 'as committed', ...committed },
    { name: 'with this expression', ...tried },
  ];
  return (
    <Section title="What it would decide">
      <p role="status">
        {plural(judged, 'recorded request')} judged in {durationText(durationMs)}
        {notJudged > 0 && `; ${notJudged} not: their bodies are masked or not kept`}.{' '}
        {changes.length === 0
          ? 'None would get a different verdict.'
          : `${plural(changes.length, 'request')}${hasMore ? ' or more' : ''} would get a different verdict.`}
      </p>
      {judged === 0 && (
        <p class="muted">
          Nothing is recorded of this trigger yet: requests that are dropped are recorded, and of others the share that{' '}
          <code>recording.rate</code> names.
        </p>
      )}
      <Table
        label="Decisions of all filters"
        rows={rows}
        keyOf={({ name }) => name}
        columns={[
          { title: 'Filters', cell: ({ name }) => name },
          { title: 'Pass', cell: ({ passed }) => countText(passed) },
          { title: 'Dropped', cell: ({ dropped }) => countText(dropped) },
          {
            title: 'Errors',
            cell: ({ errors }) => (errors === 0 ? '0' : <Badge word={countText(errors)} tone="bad" />),
          },
        ]}
      />
      {changes.length > 0 && (
        <Table
          label="Requests that would get a different verdict"
          rows={changes}
          keyOf={({ id }) => id}
          columns={[
            {
              title: 'Received',
              cell: ({ id, receivedAt }) => (
                <a href={hrefOf(['requests', id])}>
                  <Time at={receivedAt} />
                </a>
              ),
            },
            { title: 'Now', cell: ({ from }) => <Badge word={from} /> },
            { title: 'Then', cell: ({ to }) => <Badge word={to} /> },
          ]}
        />
      )}
    </Section>
  );
}
