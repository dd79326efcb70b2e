import type { RecordedRequestDocument } from '../../../../src/runtime/recording/recorded-request.gen.ts';
import { useListPages } from '../../api/list-pages.ts';
import { Badge } from '../../components/badge.tsx';
import { Empty, Failure, Loading } from '../../components/feedback.tsx';
import { type FilterField, Filters } from '../../components/filters.tsx';
import { plural } from '../../components/format.ts';
import { printable } from '../../components/printable.ts';
import { Time } from '../../components/time.tsx';
import { type Column, VirtualList } from '../../components/virtual-list.tsx';
import { hrefOf } from '../../routing/location.ts';
import type { ViewProps } from '../../routing/view-props.ts';

const source = { path: '/requests', member: 'requests' };
const fields: readonly FilterField[] = [
  { name: 'trigger', title: 'Trigger', placeholder: 'support/refund-request' },
  { name: 'verdict', title: 'Verdict', choices: ['accepted', 'dropped', 'duplicate', 'limited', 'unavailable'] },
  { name: 'since', title: 'Since', placeholder: '2h, or 2027-06-30T12:00:00Z' },
  { name: 'request', title: 'X-Request-Id', placeholder: 'q9Zr3kVt-2s' },
  { name: 'where', title: 'Where', placeholder: 'caller = website and code = filtered' },
];

const columns: readonly Column<RecordedRequestDocument>[] = [
  {
    title: 'Received',
    width: '12.5rem',
    cell: ({ id, receivedAt }) => (
      <a href={hrefOf(['requests', id])}>
        <Time at={receivedAt} />
      </a>
    ),
  },
  { title: 'Verdict', width: '9rem', cell: ({ verdict }) => <Badge word={verdict} /> },
  { title: 'Trigger', width: 'minmax(12rem, 1fr)', cell: ({ project, trigger }) => printable(`${project}/${trigger}`) },
  { title: 'By', width: 'minmax(10rem, 1fr)', cell: ({ by = '', code = '' }) => printable(by || code) },
  { title: 'Status', width: '4rem', cell: ({ status }) => status },
  { title: 'Caller', width: 'minmax(8rem, 1fr)', cell: ({ caller }) => <bdi>{printable(caller)}</bdi> },
  {
    title: 'X-Request-Id',
    width: '14rem',
    cell: ({ requestId = '' }) => <span class="mono">{printable(requestId)}</span>,
  },
  {
    title: 'Run',
    width: '6rem',
    cell: ({ runId }) => runId !== undefined && <a href={hrefOf(['runs', runId])}>its run</a>,
  },
];

/** Recorded requests, the newest first. What the list is filtered by stands in the address. */
export function RequestList({ query }: Pick<ViewProps, 'query'>) {
  const given = fields.flatMap(({ name }) => (query[name] ? [[name, query[name]]] : []));
  const selection: Readonly<Record<string, string>> = Object.fromEntries(given);
  const pages = useListPages<RecordedRequestDocument>(source, selection);
  const { rows, isLoading, isComplete, error } = pages;
  return (
    <>
      <Filters fields={fields} />
      {error !== undefined && <Failure message={error.message} retry={pages.reload} />}
      {rows.length === 0 && isLoading && <Loading what="requests" />}
      {rows.length === 0 && isComplete && <Nothing isFiltered={given.length > 0} />}
      {rows.length > 0 && (
        <>
          <div class="actions">
            <span class="muted" role="status">
              {plural(rows.length, 'recorded request')}
              {isComplete ? '' : ' so far: scroll for more'}
            </span>
            <button type="button" onClick={pages.reload}>
              Reload
            </button>
          </div>
          <VirtualList
            label="Recorded requests"
            rows={rows}
            columns={columns}
            keyOf={({ id }) => id}
            onEnd={() => isComplete || pages.loadMore()}
          />
        </>
      )}
    </>
  );
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <Empty title="No recorded request matches">
        <p>
          Take a condition away. Of accepted requests only a sample is recorded:{' '}
          <code>recording: {'{ rate: 0.1 }'}</code> in gateway.yaml says how many.
        </p>
      </Empty>
    );
  }
  return (
    <Empty title="No request is recorded yet">
      <p>
        Requests that are dropped, limited or fail are recorded, and of the others the share that{' '}
        <code>recording.rate</code> in gateway.yaml names.
      </p>
    </Empty>
  );
}
