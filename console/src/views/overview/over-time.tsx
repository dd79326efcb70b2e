import { useMemo } from 'preact/hooks';
import type { HistoryDocument, HistoryReload } from '../../../../src/observe/history-document.gen.ts';
import { useResource } from '../../api/resource.ts';
import { Badge } from '../../components/badge.tsx';
import { Chart, type Series } from '../../components/chart.tsx';
import { Loading, ResourceFailure } from '../../components/feedback.tsx';
import { amountText, countText, durationText, shortId } from '../../components/format.ts';
import { Section } from '../../components/page.tsx';
import { printable } from '../../components/printable.ts';
import { Time } from '../../components/time.tsx';
import { location, setQuery } from '../../routing/location.ts';

const refreshMs = 10_000;
const ranges = { '1h': 'last hour', '24h': 'last 24 hours' } as const;

/** What the gateway has seen over time, with reloads of the config as marks. */
export function OverTime() {
  const range = location.value.query.range === '24h' ? '24h' : '1h';
  const history = useResource<HistoryDocument>(`/history?range=${range}`, refreshMs);
  return (
    <Section
      title="Over time"
      actions={
        <label>
          Range{' '}
          <select value={range} onChange={({ currentTarget }) => setQuery({ range: currentTarget.value })}>
            {Object.entries(ranges).map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </label>
      }
    >
      <ResourceFailure resource={history} />
      {history.data === undefined && history.error === undefined && <Loading what="the charts" />}
      {history.data !== undefined && <Charts history={history.data} />}
    </Section>
  );
}

function Charts({ history }: { readonly history: HistoryDocument }) {
  const { node, since, stepMs, steps, reloads } = history;
  const shown = useMemo(() => {
    const times = steps.map(({ at }) => Date.parse(at));
    const of = (title: string, value: (step: (typeof steps)[number]) => number | null): Series => ({
      title,
      values: steps.map(value),
    });
    return {
      times,
      requests: (['accepted', 'dropped', 'duplicate', 'limited', 'refused', 'failed'] as const).map((group) =>
        of(group, ({ requests }) => requests[group]),
      ),
      runs: (['succeeded', 'failed', 'cancelled', 'input_required'] as const).map((state) =>
        of(state.replaceAll('_', ' '), ({ runs }) => runs[state]),
      ),
      agents: [of('p50', ({ p50Ms }) => p50Ms), of('p95', ({ p95Ms }) => p95Ms)],
      queue: [of('queued', ({ queued }) => queued), of('running', ({ running }) => running)],
      tokens: [of('input', ({ inputTokens }) => inputTokens), of('output', ({ outputTokens }) => outputTokens)],
      cost: [...new Set(steps.flatMap(({ cost }) => cost.map(({ currency }) => currency)))].map((currency) =>
        of(currency, ({ cost }) => cost.find((one) => one.currency === currency)?.amount ?? 0),
      ),
      marks: reloads.map(({ at, outcome }) => ({ at: Date.parse(at), title: outcome })),
    };
  }, [history]);
  const { times, marks } = shown;
  const per = `per ${durationText(stepMs)}`;
  return (
    <>
      <p class="muted">
        As {printable(node)} has seen it since <Time at={since} />. Dashed vertical lines are reloads of the config.
      </p>
      <div class="cards">
        <Chart title={`Requests ${per}`} series={shown.requests} {...{ times, marks, format: countText }} />
        <Chart title={`Runs that ended ${per}`} series={shown.runs} {...{ times, marks, format: countText }} />
        <Chart title="Time of agents, at most" series={shown.agents} {...{ times, marks, format: durationText }} />
        <Chart title="Runs that have not ended" series={shown.queue} {...{ times, marks, format: countText }} />
        <Chart title={`Tokens ${per}`} series={shown.tokens} {...{ times, marks, format: countText }} />
        {shown.cost.length > 0 && (
          <Chart title={`Cost ${per}`} series={shown.cost} {...{ times, marks, format: amountText }} />
        )}
      </div>
      {reloads.length > 0 && <Reloads reloads={reloads} />}
    </>
  );
}

/** How many reloads are listed. */
const mostReloads = 8;

function Reloads({ reloads }: { readonly reloads: readonly HistoryReload[] }) {
  return (
    <>
      <h3>Reloads</h3>
      <ul class="plain">
        {reloads
          .slice(-mostReloads)
          .reverse()
          .map(({ at, outcome, revision, gitCommit, author, subject }) => (
            <li key={at}>
              <Time at={at} /> <Badge word={outcome} />{' '}
              <span class="mono" title={gitCommit ?? revision}>
                {gitCommit === null ? `revision ${shortId(revision)}` : `commit ${shortId(gitCommit)}`}
              </span>
              {subject !== undefined && (
                <>
                  {' '}
                  <bdi>{printable(subject)}</bdi> <span class="muted">by {printable(author ?? '')}</span>
                </>
              )}
            </li>
          ))}
      </ul>
    </>
  );
}
