import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { TailedRequestDocument } from '../../../../src/runtime/tailed-request.gen.ts';
import { withQuery } from '../../api/client.ts';
import { followStream, type StreamEvent } from '../../api/stream.ts';
import { Badge } from '../../components/badge.tsx';
import { Empty, Failure } from '../../components/feedback.tsx';
import { type FilterField, Filters } from '../../components/filters.tsx';
import { countText, durationText, plural } from '../../components/format.ts';
import { printable } from '../../components/printable.ts';
import { Time } from '../../components/time.tsx';
import { type Column, VirtualList } from '../../components/virtual-list.tsx';
import { hrefOf } from '../../routing/location.ts';
import type { ViewProps } from '../../routing/view-props.ts';

/** How many requests the page keeps. */
const mostKept = 5000;

const fields: readonly FilterField[] = [
  { name: 'trigger', title: 'Trigger', placeholder: 'support/refund-request' },
  { name: 'outcome', title: 'Outcome', placeholder: 'accepted, filtered, unauthorized …' },
  { name: 'caller', title: 'Caller', placeholder: 'website' },
  { name: 'text', title: 'Id, path or reason', placeholder: 'paying customers' },
];

interface Row extends TailedRequestDocument {
  readonly key: string;
}

const columns: readonly Column<Row>[] = [
  {
    title: 'Received',
    width: '13.5rem',
    cell: ({ receivedAt, requestId }) => (
      <a href={hrefOf(['requests'], { request: requestId })}>
        <Time at={receivedAt} withMs />
      </a>
    ),
  },
  {
    title: 'Outcome',
    width: '12rem',
    cell: ({ outcome, code, status }) => <Outcome word={code ?? outcome ?? 'read'} status={status} />,
  },
  { title: 'Status', width: '4rem', cell: ({ status }) => status ?? 'none' },
  { title: 'Trigger', width: 'minmax(12rem, 1fr)', cell: ({ trigger, path }) => printable(trigger ?? path) },
  { title: 'Reason', width: 'minmax(10rem, 1fr)', cell: ({ reason }) => <bdi>{printable(reason)}</bdi> },
  { title: 'Caller', width: 'minmax(8rem, 1fr)', cell: ({ caller = '' }) => <bdi>{printable(caller)}</bdi> },
  { title: 'Took', width: '5rem', cell: ({ durationMs }) => durationText(durationMs) },
  {
    title: 'Run',
    width: '5rem',
    cell: ({ runId }) => runId !== undefined && <a href={hrefOf(['runs', runId])}>its run</a>,
  },
];

function Outcome({ word, status }: { readonly word: string; readonly status: number | null }) {
  const tone = status === null || status >= 500 ? 'bad' : status >= 400 ? 'warn' : 'good';
  return <Badge word={word} tone={tone} />;
}

interface Tail {
  readonly rows: readonly Row[];
  readonly received: number;
  readonly missed: number;
  /** Whether requests were missed of which nobody knows how many: the gateway was started again. */
  readonly hasGap: boolean;
}

const nothing: Tail = { rows: [], received: 0, missed: 0, hasGap: false };

/** Requests while they are answered, the newest first. */
export function LiveTail({ query }: Pick<ViewProps, 'query'>) {
  const given = fields.flatMap(({ name }) => (query[name] ? [[name, query[name]]] : []));
  const path = withQuery('/requests/tail', Object.fromEntries(given));
  const [tail, setTail] = useState(nothing);
  const [isPaused, setPaused] = useState(false);
  const [connection, setConnection] = useState<{ readonly state: string; readonly message?: string | undefined }>({
    state: 'connecting',
  });
  const arrived = useRef<Row[]>([]);
  const lost = useRef({ missed: 0, hasGap: false });
  const paused = useRef(false);
  paused.current = isPaused;

  useEffect(() => {
    setTail(nothing);
    arrived.current = [];
    lost.current = { missed: 0, hasGap: false };
    const stop = new AbortController();
    let frame: number | undefined;
    // Drawn once a frame, however many arrive.
    const draw = (): void => {
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        if (paused.current || stop.signal.aborted) return;
        const added = arrived.current.splice(0).reverse();
        const { missed, hasGap } = lost.current;
        setTail((before) => {
          const isSame = added.length === 0 && missed === before.missed && hasGap === before.hasGap;
          if (isSame) return before;
          return {
            rows: added.concat(before.rows).slice(0, mostKept),
            received: before.received + added.length,
            ...{ missed, hasGap },
          };
        });
      });
    };
    const onEvent = ({ event, id = '', data }: StreamEvent): void => {
      if (event === 'missed') {
        const { count } = JSON.parse(data);
        if (count === null) lost.current.hasGap = true;
        else lost.current.missed += count;
      } else if (event === 'request') {
        arrived.current.push({ ...JSON.parse(data), key: id });
        // While it is paused, what does not fit is missed, and said.
        if (arrived.current.length > mostKept) {
          arrived.current.shift();
          lost.current.missed += 1;
        }
      }
      draw();
    };
    const timer = window.setInterval(draw, 250);
    void followStream(
      path,
      { onEvent, onState: (state, error) => setConnection({ state, message: error?.message }) },
      stop.signal,
    );
    return () => {
      stop.abort();
      window.clearInterval(timer);
      if (frame !== undefined) cancelAnimationFrame(frame);
    };
  }, [path]);

  const list = useMemo(
    () => <VirtualList label="Live requests" rows={tail.rows} columns={columns} keyOf={({ key }) => key} isTail />,
    [tail.rows],
  );
  const { state, message } = connection;
  return (
    <>
      <Filters fields={fields} />
      {state === 'ended' && <Failure message={message ?? 'The stream has ended.'} />}
      <div class="actions">
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? 'Resume' : 'Pause'}
        </button>
        <span role="status">
          {state === 'open' ? (isPaused ? 'Paused' : 'Following') : state === 'ended' ? 'Ended' : 'Connecting again …'}:{' '}
          {plural(tail.received, 'request')}
          {tail.missed > 0 && `, ${countText(tail.missed)} missed`}
          {tail.hasGap && ', and those while the gateway was started again'}
        </span>
      </div>
      {tail.rows.length === 0 ? (
        <Empty title="Waiting for requests">
          <p>What is answered from now on appears here. Earlier requests are in the recorded ones.</p>
        </Empty>
      ) : (
        list
      )}
    </>
  );
}
