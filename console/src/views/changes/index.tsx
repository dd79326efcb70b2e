import type {
  RefusedReload,
  RevisionsDocument,
  ServedRevision,
} from '../../../../src/observe/revisions-document.gen.ts';
import { useResource } from '../../api/resource.ts';
import { Badge } from '../../components/badge.tsx';
import { Loading, ResourceFailure } from '../../components/feedback.tsx';
import { shortId } from '../../components/format.ts';
import { Page, Section } from '../../components/page.tsx';
import { printable } from '../../components/printable.ts';
import { Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { setQuery } from '../../routing/location.ts';
import type { ViewProps } from '../../routing/view-props.ts';
import { Plan } from './plan.tsx';

const refreshMs = 10_000;

/** What has served and what was refused, and what the change between two revisions means. */
export default function Changes({ query }: Pick<ViewProps, 'query'>) {
  const revisions = useResource<RevisionsDocument>('/revisions', refreshMs);
  const { data } = revisions;
  return (
    <Page title="Changes">
      <ResourceFailure resource={revisions} />
      {data === undefined && revisions.error === undefined && <Loading what="revisions" />}
      {data !== undefined && <Refused refused={data.refused} />}
      {data !== undefined && <Served {...{ revisions: data, query }} />}
    </Page>
  );
}

function Refused({ refused }: Pick<RevisionsDocument, 'refused'>) {
  if (refused.length === 0) return null;
  return (
    <Section title="Refused">
      <ul class="plain">
        {refused.map((reload) => (
          <li key={`${reload.at} ${reload.revision}`}>
            <p>
              <Time at={reload.at} /> <Badge word={reload.outcome} tone="bad" />{' '}
              <span class="mono" title={reload.revision}>
                revision {shortId(reload.revision)}
              </span>
              . What served before served on.
            </p>
            <Diagnostics diagnostics={reload.diagnostics} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

interface Diagnostic {
  readonly code?: string;
  readonly severity?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

function Diagnostics({ diagnostics }: Pick<RefusedReload, 'diagnostics'>) {
  const rows = diagnostics as readonly Diagnostic[];
  return (
    <ul>
      {rows.map(({ code = '', message = '', hint, file = '', line, column }) => (
        <li key={`${file}:${line}:${column} ${code} ${message}`}>
          <span class="mono">{printable([file, line, column].filter((part) => part !== undefined).join(':'))}</span>{' '}
          <code>{code}</code> {printable(message)}
          {hint !== undefined && <div class="muted">{printable(hint)}</div>}
        </li>
      ))}
    </ul>
  );
}

function Served({
  revisions: { node, served },
  query,
}: {
  readonly revisions: RevisionsDocument;
  readonly query: ViewProps['query'];
}) {
  const [latest, previous] = served;
  const from = query.from ?? previous?.revision;
  const to = query.to ?? latest?.revision;
  const choice = (name: 'from' | 'to', chosen: string | undefined) => ({
    title: name === 'from' ? 'From' : 'To',
    cell: ({ revision, hasFiles }: ServedRevision) => (
      <input
        type="radio"
        name={name}
        aria-label={`Compare ${name} ${shortId(revision)}`}
        checked={revision === chosen}
        disabled={!hasFiles}
        onChange={() => setQuery({ from, to, [name]: revision })}
      />
    ),
  });
  return (
    <>
      <Section title="Served">
        <p class="muted">
          By {printable(node)} since it started, the latest first. Other nodes are in the view of nodes.
        </p>
        <Table
          label="Revisions that served"
          rows={served}
          keyOf={({ revision, servedFrom }) => `${revision} ${servedFrom}`}
          columns={[
            {
              title: 'Config',
              cell: ({ revision, gitCommit, dirty, servedUntil }) => (
                <>
                  <span class="mono" title={gitCommit ?? revision}>
                    {gitCommit === null ? `revision ${shortId(revision)}` : `commit ${shortId(gitCommit)}`}
                  </span>{' '}
                  {servedUntil === null && <Badge word="serving" />}
                  {dirty === true && <div>differs from its commit</div>}
                </>
              ),
            },
            {
              title: 'Change',
              cell: ({ subject, author }) =>
                subject === undefined ? (
                  '–'
                ) : (
                  <>
                    <bdi>{printable(subject)}</bdi> <div class="muted">by {printable(author ?? '')}</div>
                  </>
                ),
            },
            { title: 'Since', cell: ({ servedFrom }) => <Time at={servedFrom} /> },
            { title: 'Until', cell: ({ servedUntil }) => (servedUntil === null ? 'now' : <Time at={servedUntil} />) },
            choice('from', from),
            choice('to', to),
          ]}
        />
      </Section>
      {from !== undefined && to !== undefined && from !== to ? (
        <Plan {...{ from, to }} />
      ) : (
        <p class="muted">With a second revision, what the change means for recorded requests is shown here.</p>
      )}
    </>
  );
}
