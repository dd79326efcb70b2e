import { useMemo, useState } from 'preact/hooks';
import type { RunCountDocument } from '../../../../src/runtime/run-count.gen.ts';
import type { RunDocument } from '../../../../src/runtime/run-document.gen.ts';
import { withQuery } from '../../api/client.ts';
import { type ListPages, useListPages } from '../../api/list-pages.ts';
import { useResource } from '../../api/resource.ts';
import { mayOperate } from '../../api/session.ts';
import { Badge } from '../../components/badge.tsx';
import { Empty, Failure, Loading } from '../../components/feedback.tsx';
import { Filters } from '../../components/filters.tsx';
import { durationText, moneyText, plural } from '../../components/format.ts';
import { Page } from '../../components/page.tsx';
import { printable } from '../../components/printable.ts';
import { Time } from '../../components/time.tsx';
import { type Column, VirtualList } from '../../components/virtual-list.tsx';
import { hrefOf } from '../../routing/location.ts';
import { BulkBar } from './bulk-bar.tsx';
import { type BulkAction, bulk } from './bulk-job.ts';
import { ChooseBulk } from './choose-bulk.tsx';
import { filterFields, isFiltered, selectionOf } from './run-filter.ts';

const runs = { path: '/runs', member: 'runs' };

/** How much of an error a row shows: all of it would make rows of a megabyte. */
const mostOfError = 200;

/** The runs that match the filter in the address, the newest first. */
export function RunList({ query }: { readonly query: Readonly<Record<string, string>> }) {
  const selection = useMemo(() => selectionOf(query), [JSON.stringify(query)]);
  const pages = useListPages<RunDocument>(runs, selection);
  const count = useResource<RunCountDocument>(withQuery('/runs/count', selection));
  const [chosen, setChosen] = useState<BulkAction>();
  const reload = (): void => {
    pages.reload();
    count.refresh();
  };
  return (
    <Page title="Runs" actions={<Actions choose={setChosen} reload={reload} isEmpty={pages.rows.length === 0} />}>
      <Filters fields={filterFields} />
      <BulkBar />
      <p role="status" class="muted summary">
        {count.data === undefined ? summaryOf(pages) : countedText(count.data, pages)}
      </p>
      {pages.error !== undefined && <Failure message={pages.error.message} retry={reload} />}
      <Listed pages={pages} total={count.data?.more === false ? count.data.count : undefined} query={query} />
      {chosen !== undefined && <ChooseBulk action={chosen} selection={selection} close={() => setChosen(undefined)} />}
    </Page>
  );
}

interface ActionsProps {
  readonly choose: (action: BulkAction) => void;
  readonly reload: () => void;
  readonly isEmpty: boolean;
}

function Actions({ choose, reload, isEmpty }: ActionsProps) {
  const isBusy = isEmpty || bulk.value?.phase === 'working';
  return (
    <>
      {mayOperate.value && (
        <>
          <button type="button" disabled={isBusy} onClick={() => choose('replay')}>
            Replay all these …
          </button>
          <button type="button" disabled={isBusy} onClick={() => choose('cancel')}>
            Cancel all these …
          </button>
        </>
      )}
      <button type="button" onClick={reload}>
        Reload
      </button>
    </>
  );
}

function summaryOf({ rows, isLoading, isComplete }: ListPages<RunDocument>): string {
  if (isLoading) return 'Searching …';
  return isComplete ? plural(rows.length, 'run') : `${plural(rows.length, 'run')}, and more`;
}

function countedText({ count, more, states }: RunCountDocument, { rows }: ListPages<RunDocument>): string {
  const exact = count.toLocaleString('en-US');
  const parts = Object.entries(states).map(([state, number]) => {
    return `${number.toLocaleString('en-US')} ${state.replaceAll('_', ' ')}`;
  });
  const loaded = rows.length < count ? `; ${rows.length.toLocaleString('en-US')} loaded, scroll for more` : '';
  return `${more ? 'More than ' : ''}${exact} ${count === 1 ? 'run' : 'runs'}${
    parts.length > 1 ? `: ${parts.join(', ')}` : ''
  }${loaded}`;
}

interface ListedProps {
  readonly pages: ListPages<RunDocument>;
  readonly total: number | undefined;
  readonly query: Readonly<Record<string, string>>;
}

function Listed({ pages, total, query }: ListedProps) {
  const { rows, isLoading, isComplete, loadMore, error } = pages;
  if (rows.length > 0) {
    const all = total ?? rows.length;
    return (
      <VirtualList
        label="Runs"
        rows={rows}
        columns={columns}
        keyOf={({ runId }) => runId}
        total={Math.max(all, rows.length)}
        onEnd={loadMore}
      />
    );
  }
  if (isLoading) return <Loading what="runs" />;
  if (error !== undefined) return null;
  if (!isComplete) {
    return (
      <Empty title="None found so far">
        <p>The newest runs do not match.</p>
        <button type="button" onClick={loadMore}>
          Search older runs
        </button>
      </Empty>
    );
  }
  return isFiltered(query) ? (
    <Empty title="No run matches">
      <p>
        Remove a filter, or <a href={hrefOf(['runs'])}>show all runs</a>. A run that is past its retention is gone.
      </p>
    </Empty>
  ) : (
    <Empty title="No runs yet">
      <p>
        A request that passes its trigger starts one. Try a trigger in <a href={hrefOf(['triggers'])}>Triggers</a>, or
        see in <a href={hrefOf(['requests'])}>Requests</a> why none has passed.
      </p>
    </Empty>
  );
}

const columns: readonly Column<RunDocument>[] = [
  {
    title: 'Run',
    width: '9.5rem',
    cell: ({ runId }) => (
      <a class="mono" href={hrefOf(['runs', runId])} title={runId}>
        {runId.slice(0, 8)}…{runId.slice(-4)}
      </a>
    ),
  },
  { title: 'State', width: '9rem', cell: ({ state }) => <Badge word={state} /> },
  { title: 'Accepted', width: '12rem', cell: ({ acceptedAt }) => <Time at={acceptedAt} /> },
  { title: 'Trigger', width: '14rem', cell: ({ project, trigger }) => `${project}/${trigger}` },
  { title: 'Caller', width: '8rem', cell: ({ caller }) => <bdi>{printable(caller)}</bdi> },
  { title: 'Attempts', width: '6rem', cell: ({ attempt }) => attempt },
  { title: 'Took', width: '7rem', cell: tookOf },
  { title: 'Cost', width: '8rem', cell: ({ cost }) => cost && moneyText(cost) },
  {
    title: 'Error',
    width: 'minmax(12rem, 30rem)',
    cell: ({ error }) => error && <bdi>{printable(error.message.slice(0, mostOfError))}</bdi>,
  },
];

function tookOf({ acceptedAt, finishedAt }: RunDocument): string {
  return finishedAt === undefined ? '' : durationText(Date.parse(finishedAt) - Date.parse(acceptedAt));
}
