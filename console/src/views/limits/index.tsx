import { useState } from 'preact/hooks';
import type {
  LimitCounterDocument,
  LimitDocument,
  LimitsDocument,
} from '../../../../src/runtime/limits/limits-document.gen.ts';
import { postJson, withQuery } from '../../api/client.ts';
import { useResource } from '../../api/resource.ts';
import { mayOperate } from '../../api/session.ts';
import { Badge } from '../../components/badge.tsx';
import { Confirm } from '../../components/dialog.tsx';
import { Empty, Loading, ResourceFailure } from '../../components/feedback.tsx';
import { Filters } from '../../components/filters.tsx';
import { countText, plural, shareText } from '../../components/format.ts';
import { Page, Section } from '../../components/page.tsx';
import { printable } from '../../components/printable.ts';
import { Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import type { ViewProps } from '../../routing/view-props.ts';

const refreshMs = 5000;
/** How many values of each limit are shown. */
const values = 20;

interface Resetting {
  readonly limit: LimitDocument;
  /** Undefined: for all values. */
  readonly value: string | undefined;
}

/** What limits have used and have left, by value. */
export default function Limits({ query }: Pick<ViewProps, 'query'>) {
  const limits = useResource<LimitsDocument>(withQuery('/limits', { values }), refreshMs);
  const [resetting, setResetting] = useState<Resetting>();
  const { data } = limits;
  const wanted = (query.text ?? '').toLowerCase();
  const shown = data?.limits.filter((limit) => matches(limit, wanted)) ?? [];
  return (
    <Page title="Limits">
      <ResourceFailure resource={limits} />
      {data === undefined && limits.error === undefined && <Loading what="limits" />}
      {data !== undefined && data.limits.length === 0 && <NoLimits />}
      {data !== undefined && data.limits.length > 0 && (
        <Filters fields={[{ name: 'text', title: 'Name or value', placeholder: '60 runs/1m' }]} />
      )}
      {data !== undefined && data.limits.length > 0 && shown.length === 0 && <Empty title="No limit matches" />}
      {shown.map((limit) => (
        <OneLimit key={limit.id} limit={limit} reset={(value) => setResetting({ limit, value })} />
      ))}
      {resetting !== undefined && (
        <ResetQuestion {...resetting} close={() => setResetting(undefined)} done={() => limits.refresh()} />
      )}
    </Page>
  );
}

function matches({ name, level, counters }: LimitDocument, wanted: string): boolean {
  return [name, level, ...counters.map(({ value }) => value)].some((text) => text.toLowerCase().includes(wanted));
}

function NoLimits() {
  return (
    <Empty title="No limits are declared">
      <p>
        Nothing bounds how many requests, runs, tokens or how much money a caller may use. Declare <code>limits:</code>{' '}
        on the gateway, a project, a trigger or a key; <code>mode: shadow</code> counts first and refuses nothing.
      </p>
    </Empty>
  );
}

interface OneLimitProps {
  readonly limit: LimitDocument;
  readonly reset: (value: string | undefined) => void;
}

function OneLimit({ limit, reset }: OneLimitProps) {
  const { name, level, unit, per, mode, counters, hasMore } = limit;
  const actions = mayOperate.value && counters.length > 0 && (
    <button type="button" onClick={() => reset(undefined)}>
      Reset
    </button>
  );
  return (
    <Section title={printable(name)} actions={actions === false ? undefined : actions}>
      <p>
        <Badge word={mode} tone={mode === 'shadow' ? 'plain' : 'good'} /> declared by the {level};{' '}
        {countText(limit.limit)} {unit}
        {per === null ? (
          ', all together'
        ) : (
          <>
            , each <code>{printable(per)}</code> apart
          </>
        )}
        .
        {mode === 'shadow' &&
          ' It refuses nothing: what it would have refused is in the log, in recordings and in metrics.'}
      </p>
      {counters.length === 0 ? (
        <p class="muted">Nothing is counted now.</p>
      ) : (
        <Table
          label={`What ${printable(name)} has counted`}
          rows={counters}
          keyOf={({ value }) => value}
          columns={[
            {
              title: per === null ? 'All' : 'Value',
              cell: ({ value }) => <bdi>{value === '' ? 'all' : printable(value)}</bdi>,
            },
            { title: 'Used', cell: (counter) => <Used counter={counter} limit={limit} /> },
            {
              title: 'Left',
              cell: ({ left }) => (left <= 0 ? <Badge word={`${countText(left)} left`} tone="bad" /> : countText(left)),
            },
            { title: 'Reserved', cell: ({ reserved }) => (reserved === 0 ? '–' : countText(reserved)) },
            { title: 'Empty again', cell: ({ resetsAt }) => <Time at={resetsAt} /> },
            ...(mayOperate.value && per !== null
              ? [
                  {
                    title: 'Action',
                    cell: ({ value }: LimitCounterDocument) => (
                      <button type="button" aria-label={`Reset ${printable(value)}`} onClick={() => reset(value)}>
                        Reset
                      </button>
                    ),
                  },
                ]
              : []),
          ]}
        />
      )}
      {hasMore && (
        <p class="muted">Further values have used less. All of them: {`pullcord limits list --values 1000`}.</p>
      )}
    </Section>
  );
}

function Used({
  counter: { used, value },
  limit,
}: {
  readonly counter: LimitCounterDocument;
  readonly limit: LimitDocument;
}) {
  const share = limit.limit === 0 ? 1 : used / limit.limit;
  return (
    <>
      <progress value={Math.min(share, 1)} aria-label={`Used by ${value === '' ? 'all' : printable(value)}`} />{' '}
      {countText(used)} ({shareText(share)})
    </>
  );
}

interface ResetQuestionProps extends Resetting {
  readonly close: () => void;
  readonly done: () => void;
}

function ResetQuestion({ limit, value, close, done }: ResetQuestionProps) {
  const perform = async (): Promise<void> => {
    await postJson(withQuery('/limits/reset', { limit: limit.id, value }));
    done();
  };
  return (
    <Confirm title="Reset a limit" action="Reset it" perform={perform} close={close}>
      <p>
        {printable(limit.name)} begins anew{' '}
        {value === undefined ? (
          'for all'
        ) : (
          <>
            for <bdi>{printable(value)}</bdi>
          </>
        )}
        : what it has counted is forgotten,{' '}
        {value === undefined ? plural(limit.counters.length, 'counter') : '1 counter'} or more. This is recorded in the
        audit trail.
      </p>
    </Confirm>
  );
}
