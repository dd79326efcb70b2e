import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { RunDocument } from '../../../../src/runtime/run-document.gen.ts';
import { useResource } from '../../api/resource.ts';
import { Badge } from '../../components/badge.tsx';
import { Copy } from '../../components/copy.tsx';
import { Failure, Loading, ResourceFailure } from '../../components/feedback.tsx';
import { countText, moneyText, plural, shortId } from '../../components/format.ts';
import { Json } from '../../components/json.tsx';
import { Facts, Page, Section } from '../../components/page.tsx';
import { printable } from '../../components/printable.ts';
import { Text } from '../../components/text.tsx';
import { Time } from '../../components/time.tsx';
import { hrefOf } from '../../routing/location.ts';
import { LiveOutput } from './live-output.tsx';
import { RunActions } from './run-actions.tsx';
import { Timeline } from './timeline.tsx';
import type { Heard } from './timeline-of.ts';

/** How often a run that is not over is read again, in milliseconds. */
const everyMs = { open: 1000, callback: 5000 };

/** One run: its timeline, what went in and came out, what it has cost. */
export function OneRun({ id }: { readonly id: string }) {
  const [heard, setHeard] = useState<Heard>();
  const [period, setPeriod] = useState<number | undefined>(everyMs.open);
  const resource = useResource<RunDocument>(`/runs/${encodeURIComponent(id)}`, period);
  const { data: run, error, refresh } = resource;
  const next = run === undefined ? everyMs.open : periodOf(run);
  useEffect(() => setPeriod(error?.code === 'run_not_found' ? undefined : next), [next, error?.code]);
  if (run === undefined) {
    return (
      <Page title="Run">
        {error === undefined && <Loading what="the run" />}
        {error?.code === 'run_not_found' && <Failure message={`There is no run ${id}, or it is past its retention.`} />}
        {error !== undefined && error.code !== 'run_not_found' && <ResourceFailure resource={resource} />}
        <p>
          <a href={hrefOf(['runs'])}>All runs</a>
        </p>
      </Page>
    );
  }
  return (
    <Page
      title={`Run ${shortId(run.runId)}…${run.runId.slice(-4)}`}
      actions={<RunActions run={run} refresh={refresh} />}
    >
      <ResourceFailure resource={resource} />
      <Section title="What it is">
        <Facts facts={factsOf(run)} />
      </Section>
      <Section title="Timeline">
        <Timeline run={run} heard={heard} />
        {run.finishedAt === undefined && <LiveOutput runId={id} onHeard={setHeard} onEnd={refresh} />}
      </Section>
      {run.error !== undefined && <Failed run={run} />}
      {run.finishedAt !== undefined && (
        <Section title="Output">
          <Output run={run} />
        </Section>
      )}
      <Section title="Input">
        <Input run={run} />
      </Section>
    </Page>
  );
}

function periodOf({ finishedAt, callback }: RunDocument): number | undefined {
  if (finishedAt === undefined) return everyMs.open;
  return callback?.state === 'due' ? everyMs.callback : undefined;
}

function Failed({ run }: { readonly run: RunDocument }) {
  const { error, errorDetail } = run;
  if (error === undefined) return null;
  return (
    <Section title="Error">
      <Text text={error.message} label="Error of the run" />
      <p class="muted">{error.retryable ? 'Another attempt might succeed.' : 'Another attempt would fail too.'}</p>
      {errorDetail !== undefined && (
        <details>
          <summary>What the agent said</summary>
          <Text text={errorDetail} label="What the agent said of the error" />
        </details>
      )}
    </Section>
  );
}

function Output({ run: { output, state } }: { readonly run: RunDocument }) {
  if (output !== undefined) return <Value value={output} label="Output of the run" />;
  const hasNone = state === 'failed' || state === 'cancelled';
  return <p class="muted">{hasNone ? 'It has none.' : 'It was not kept (record of its trigger).'}</p>;
}

function Input({ run: { input } }: { readonly run: RunDocument }) {
  const [search, setSearch] = useState('');
  if (input === undefined) {
    return <p class="muted">It was not kept (record of its trigger), so the run cannot be replayed.</p>;
  }
  return (
    <>
      <p>
        <label>
          <span class="visually-hidden">Search in the input</span>
          <input
            type="search"
            placeholder="Search in the input"
            value={search}
            onInput={({ currentTarget }) => setSearch(currentTarget.value)}
          />
        </label>{' '}
        <Copy text={JSON.stringify(input, undefined, 2)} what="the input" />
      </p>
      <Json value={input} search={search} />
    </>
  );
}

function Value({ value, label }: { readonly value: unknown; readonly label: string }) {
  if (typeof value === 'string') return <Text text={value} label={label} />;
  return (
    <>
      <Json value={value} />
      <div class="text-foot">
        <Copy text={JSON.stringify(value, undefined, 2)} what="the output" />
      </div>
    </>
  );
}

function factsOf(run: RunDocument): readonly (readonly [string, ComponentChildren])[] {
  const { project, trigger, usage, cost, origin, replayOf, replayedAs, requestId, traceId, sessionId, secret } = run;
  const { isEdited } = Object(origin);
  return [
    ['Run', <Id key="run" id={run.runId} what="the id of the run" />],
    ['State', <Badge key="state" word={run.state} />],
    ['Trigger', <a key="trigger" href={hrefOf(['triggers', project, trigger])}>{`${project}/${trigger}`}</a>],
    ['Caller', <Foreign key="caller" text={secret === undefined ? run.caller : `${run.caller} (${secret})`} />],
    ['Accepted', <Time key="accepted" at={run.acceptedAt} withMs />],
    [
      'Request',
      requestId && (
        <Id
          key="request"
          id={requestId}
          what="the id of the request"
          href={hrefOf(['requests'], { request: requestId })}
        />
      ),
    ],
    ['Trace', traceId && <Id key="trace" id={traceId} what="the trace id" />],
    [
      'Session',
      sessionId && (
        <a key="session" href={hrefOf(['runs'], { session: sessionId })}>
          <Foreign text={sessionId} />
        </a>
      ),
    ],
    [
      'Replay of',
      replayOf && <Id key="of" id={replayOf} what="the id of the first run" href={hrefOf(['runs', replayOf])} />,
    ],
    [
      'Only replay',
      replayedAs && <Id key="as" id={replayedAs} what="the id of the replay" href={hrefOf(['runs', replayedAs])} />,
    ],
    ['Edited', isEdited && 'An operator has changed the input'],
    ['Usage', usage && usageText(usage)],
    ['Model', usage?.model && <Foreign key="model" text={usage.model} />],
    ['Cost', cost && moneyText(cost)],
    ['Interruptions', run.interruptions && `${plural(run.interruptions, 'death')} of the gateway in a row`],
    ['Revision', <Id key="revision" id={run.revision} shown={`${shortId(run.revision, 12)}…`} what="the revision" />],
  ];
}

function usageText({ inputTokens, outputTokens, cachedTokens }: NonNullable<RunDocument['usage']>): string {
  const cached = cachedTokens === undefined ? '' : ` (${countText(cachedTokens)} cached)`;
  return `${countText(inputTokens)} tokens in${cached}, ${countText(outputTokens)} tokens out`;
}

function Foreign({ text }: { readonly text: string }) {
  return <bdi>{printable(text)}</bdi>;
}

interface IdProps {
  readonly id: string;
  readonly what: string;
  readonly href?: string;
  /** Instead of the whole id, which is copied all the same. */
  readonly shown?: string;
}

function Id({ id, what, href, shown = printable(id) }: IdProps) {
  return (
    <span class="mono" title={id}>
      {href === undefined ? <bdi>{shown}</bdi> : <a href={href}>{shown}</a>} <Copy text={id} what={what} />
    </span>
  );
}
