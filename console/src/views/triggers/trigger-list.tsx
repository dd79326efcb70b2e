import type { TriggerViewDocument } from '../../../../src/runtime/triggers/triggers-document.gen.ts';
import { useListPages } from '../../api/list-pages.ts';
import { Badge } from '../../components/badge.tsx';
import { Empty, Failure, Loading } from '../../components/feedback.tsx';
import { Filters } from '../../components/filters.tsx';
import { plural } from '../../components/format.ts';
import { Page } from '../../components/page.tsx';
import { printable } from '../../components/printable.ts';
import { type Column, VirtualList } from '../../components/virtual-list.tsx';
import { hrefOf } from '../../routing/location.ts';
import type { ViewProps } from '../../routing/view-props.ts';

const source = { path: '/triggers', member: 'triggers' };

const columns: readonly Column<TriggerViewDocument>[] = [
  {
    title: 'Trigger',
    width: 'minmax(14rem, 1fr)',
    cell: ({ project, key }) => <a href={hrefOf(['triggers', project, key])}>{printable(`${project}/${key}`)}</a>,
  },
  { title: 'Name', width: 'minmax(12rem, 1fr)', cell: ({ name }) => <bdi>{printable(name)}</bdi> },
  { title: 'Status', width: '8rem', cell: ({ status }) => <Badge word={status} /> },
  { title: 'Agent', width: '8rem', cell: ({ stages }) => stages.find(({ stage }) => stage === 'run')?.uses },
  { title: 'Filters', width: '5rem', cell: ({ stages }) => stages.filter(({ stage }) => stage === 'filter').length },
  { title: 'Tests', width: '4rem', cell: ({ tests }) => tests },
  {
    title: 'Declared',
    width: 'minmax(14rem, 1fr)',
    cell: ({ provenance }) => <span class="mono">{printable(provenance)}</span>,
  },
];

export function TriggerList({ query: { text = '' } }: Pick<ViewProps, 'query'>) {
  const pages = useListPages<TriggerViewDocument>(source, text === '' ? {} : { text });
  const { rows, isLoading, isComplete, error } = pages;
  return (
    <Page title="Triggers">
      <Filters fields={[{ name: 'text', title: 'Key or name', placeholder: 'refund' }]} />
      {error !== undefined && <Failure message={error.message} retry={pages.reload} />}
      {rows.length === 0 && isLoading && <Loading what="triggers" />}
      {rows.length === 0 && isComplete && (
        <Empty title={text === '' ? 'No trigger is declared' : 'No trigger matches'}>
          <p>
            A trigger is a file with <code>kind: Trigger</code> in the config folder; <code>pullcord init</code> writes
            one.
          </p>
        </Empty>
      )}
      {rows.length > 0 && (
        <>
          <p class="muted" role="status">
            {plural(rows.length, 'trigger')}
            {isComplete ? '' : ' so far: scroll for more'}
          </p>
          <VirtualList
            label="Triggers"
            rows={rows}
            columns={columns}
            keyOf={({ project, key }) => `${project}/${key}`}
            onEnd={() => isComplete || pages.loadMore()}
          />
        </>
      )}
    </Page>
  );
}
