import type { ComponentChildren } from 'preact';
import type { StatusDocument } from '../../../../src/runtime/status/status-document.gen.ts';
import { useResource } from '../../api/resource.ts';
import { Badge } from '../../components/badge.tsx';
import { Empty, Loading, ResourceFailure } from '../../components/feedback.tsx';
import { countText, plural, shareText, shortId, sizeText } from '../../components/format.ts';
import { Facts, Page, Section } from '../../components/page.tsx';
import { printable } from '../../components/printable.ts';
import { Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { hrefOf } from '../../routing/location.ts';
import { OverTime } from './over-time.tsx';

const refreshMs = 5000;

/** What an operator looks at first: what needs attention, what serves, and the last hour. */
export default function Overview() {
  const status = useResource<StatusDocument>('/status', refreshMs);
  const { data } = status;
  return (
    <Page title="Overview">
      <ResourceFailure resource={status} />
      {data === undefined && status.error === undefined && <Loading what="the status" />}
      {data !== undefined && (
        <>
          <Attention status={data} />
          <div class="cards">
            <Serving status={data} />
            <Queue status={data} />
          </div>
          <LastHour status={data} />
          <OverTime />
        </>
      )}
    </Page>
  );
}

function Attention({ status: { attention, alerts, openCircuits, lastReload } }: { readonly status: StatusDocument }) {
  return (
    <Section title="Needs attention">
      {attention.length === 0 ? (
        <p>
          <Badge word="ok" /> Nothing does.
        </p>
      ) : (
        <ul>
          {attention.map((words) => (
            <li key={words}>
              <strong>{printable(words)}</strong>
            </li>
          ))}
        </ul>
      )}
      {lastReload?.problem != null && (
        <p>
          The last change of the config was not accepted: <code>{printable(lastReload.problem)}</code>. What served
          before serves on.
        </p>
      )}
      {alerts.length > 0 && (
        <Table
          label="Alerts"
          rows={alerts}
          keyOf={({ name }) => name}
          columns={[
            { title: 'Alert', cell: ({ name }) => printable(name) },
            { title: 'State', cell: ({ state }) => <Badge word={state} /> },
            { title: 'Since', cell: ({ since }) => <Time at={since} /> },
            { title: 'What happens', cell: ({ message }) => printable(message) },
          ]}
        />
      )}
      {openCircuits.length > 0 && (
        <p>
          The agents of these triggers are down, and their runs wait: {printable(openCircuits.join(', '))}.{' '}
          <a href={hrefOf(['runs'], { state: 'queued' })}>Queued runs</a>
        </p>
      )}
    </Section>
  );
}

function Serving({
  status: { organization, config, nodes, expiringKeys, memory },
}: {
  readonly status: StatusDocument;
}) {
  const { revision, gitCommit, dirty, loadedAt } = config;
  const served = gitCommit === null ? `revision ${shortId(revision)}` : `commit ${shortId(gitCommit)}`;
  return (
    <Section title="What serves">
      <Facts
        facts={[
          ['Organization', printable(organization)],
          [
            'Config',
            <span key="config" title={gitCommit ?? revision}>
              <span class="mono">{served}</span>
              {dirty === true && ' (differs from its commit)'}
            </span>,
          ],
          ['Since', loadedAt === null ? undefined : <Time key="since" at={loadedAt} />],
          [
            'Nodes',
            <a key="nodes" href={hrefOf(['nodes'])}>
              {plural(nodes.length, 'node')}
            </a>,
          ],
          [
            'Secrets that end within 30 days',
            <a key="keys" href={hrefOf(['keys'])}>
              {expiringKeys.length}
            </a>,
          ],
          ['Memory', memory === null ? undefined : `${sizeText(memory.heldBytes)} of ${sizeText(memory.limitBytes)}`],
        ]}
      />
    </Section>
  );
}

function Queue({ status: { queue } }: { readonly status: StatusDocument }) {
  return (
    <Section title="Runs that have not ended">
      <Facts
        facts={[
          [
            'Queued',
            <a key="queued" href={hrefOf(['runs'], { state: 'queued' })}>
              {countText(queue.queued)}
            </a>,
          ],
          [
            'Running',
            <a key="running" href={hrefOf(['runs'], { state: 'running' })}>
              {countText(queue.running)}
            </a>,
          ],
          [
            'The oldest waits since',
            queue.oldestQueuedAt === null ? 'none waits' : <Time key="at" at={queue.oldestQueuedAt} />,
          ],
        ]}
      />
    </Section>
  );
}

function LastHour({ status: { lastHour } }: { readonly status: StatusDocument }) {
  const { runs, requests, failing, failedShare, isPartial } = lastHour;
  const states = Object.entries(runs);
  const isQuiet = states.length === 0 && Object.values(requests ?? {}).every((count) => count === 0);
  return (
    <Section title="Last hour">
      {isQuiet && (
        <Empty title="Nothing has arrived yet">
          <p>
            Fire a trigger: <code>pullcord send PROJECT/KEY -d '{'{"instruction": "hello"}'}'</code>, or with curl as
            README shows.
          </p>
        </Empty>
      )}
      {!isQuiet && (
        <Facts
          facts={[
            ...states.map(([state, count]): [string, ComponentChildren] => [
              `Runs ${state.replaceAll('_', ' ')}`,
              <a key={state} href={hrefOf(['runs'], { state, newerThan: '1h' })}>
                {countText(count)}
              </a>,
            ]),
            ['Failed share', failedShare === null ? undefined : shareText(failedShare)],
            ...Object.entries(requests ?? {}).map(([verdict, count]): [string, ComponentChildren] => [
              `Requests ${verdict}`,
              <a key={verdict} href={hrefOf(['requests'], { verdict, since: '1h' })}>
                {countText(count)}
              </a>,
            ]),
          ]}
        />
      )}
      {isPartial && <p class="muted">There were more than are counted: these are the latest.</p>}
      {failing.length > 0 && (
        <Table
          label="Triggers whose runs fail"
          rows={failing}
          keyOf={({ trigger }) => trigger}
          columns={[
            {
              title: 'Trigger',
              cell: ({ trigger }) => <a href={hrefOf(['runs'], { trigger, state: 'failed' })}>{printable(trigger)}</a>,
            },
            { title: 'Failed', cell: ({ failed, runs: all }) => `${countText(failed)} of ${countText(all)} runs` },
            { title: 'Most frequent error', cell: ({ error }) => <bdi>{printable(error ?? '')}</bdi> },
          ]}
        />
      )}
    </Section>
  );
}
