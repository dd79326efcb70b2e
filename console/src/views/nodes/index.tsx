import type { NodesDocument } from '../../../../src/runtime/nodes/nodes-document.gen.ts';
import { useResource } from '../../api/resource.ts';
import { Badge } from '../../components/badge.tsx';
import { Loading, ResourceFailure } from '../../components/feedback.tsx';
import { durationText, plural, shortId } from '../../components/format.ts';
import { Page, Section } from '../../components/page.tsx';
import { printable } from '../../components/printable.ts';
import { Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';

const refreshMs = 5000;

/** The gateways that share an engine. */
export default function Nodes() {
  const nodes = useResource<NodesDocument>('/nodes', refreshMs);
  const { data } = nodes;
  return (
    <Page title="Nodes">
      <ResourceFailure resource={nodes} />
      {data === undefined && nodes.error === undefined && <Loading what="nodes" />}
      {data !== undefined && (
        <Section title={plural(data.nodes.length, 'node')}>
          <p>
            {plural(data.queued, 'run')} {data.queued === 1 ? 'is' : 'are'} queued for all of them.
            {data.nodes.length === 1 && data.nodes[0]?.lease === null && (
              <span class="muted"> The engine is not shared: one gateway uses it.</span>
            )}
          </p>
          <Table
            label="Nodes"
            rows={data.nodes}
            keyOf={({ name, life }) => `${name} ${life}`}
            columns={[
              {
                title: 'Node',
                cell: (node) => (
                  <>
                    <bdi>{printable(node.name)}</bdi> {node.this && <span class="muted">(answers you)</span>}
                  </>
                ),
              },
              {
                title: 'Serves',
                cell: ({ revision, gitCommit, dirty, hasNewestRevision }) => (
                  <>
                    <span class="mono" title={gitCommit ?? revision}>
                      {gitCommit === null ? `revision ${shortId(revision)}` : `commit ${shortId(gitCommit)}`}
                    </span>
                    {dirty === true && <div>differs from its commit</div>}
                    {!hasNewestRevision && (
                      <div>
                        <Badge word="an older revision" tone="warn" />
                      </div>
                    )}
                  </>
                ),
              },
              { title: 'Since', cell: ({ since }) => <Time at={since} /> },
              {
                title: 'Started',
                cell: ({ startedAt, version }) => (
                  <>
                    <Time at={startedAt} /> <div class="muted">Pullcord {version}</div>
                  </>
                ),
              },
              { title: 'Runs', cell: ({ running }) => `${running} running` },
              {
                title: 'Lease',
                cell: ({ lease }) => {
                  if (lease === null) return 'none needed';
                  if (lease.endsInSeconds === 0) return <Badge word="over" tone="bad" />;
                  return `ends in ${durationText(lease.endsInSeconds * 1000)} unless it is renewed`;
                },
              },
              {
                title: 'Keys',
                cell: ({ keysDiffer }) =>
                  keysDiffer ? (
                    <Badge word="differ from this node's" tone="bad" />
                  ) : (
                    <Badge word="as others" tone="good" />
                  ),
              },
            ]}
          />
          {data.nodes.some(({ keysDiffer }) => keysDiffer) && (
            <p role="alert" class="bad">
              Nodes whose keys differ do not accept the tokens and addresses that others have signed. Give all of them
              the same secrets.
            </p>
          )}
        </Section>
      )}
    </Page>
  );
}
