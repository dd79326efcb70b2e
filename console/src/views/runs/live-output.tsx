import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../../api/client.ts';
import { followStream, type StreamEvent } from '../../api/stream.ts';
import { plural } from '../../components/format.ts';
import { printable } from '../../components/printable.ts';
import type { Heard } from './timeline-of.ts';

/** How many characters of what an agent has said are kept, and how many of them are shown. */
const most = { kept: 1_000_000, shown: 10_000 };
/** How often the page is drawn again at most, in milliseconds: agents may say a word a millisecond. */
const drawMs = 100;

interface Said {
  readonly attempt: number;
  readonly text: string;
  readonly length: number;
  /** Characters that the gateway did not keep for a reader who came late. */
  readonly missed: number;
  /** When the first of it arrived, and the last. */
  readonly from: number;
  readonly to: number;
}

type State = 'connecting' | 'open' | 'waiting' | 'ended';

const nothingSaid: Said = { attempt: 0, text: '', length: 0, missed: 0, from: 0, to: 0 };

interface LiveOutputProps {
  readonly runId: string;
  readonly onHeard: (heard: Heard) => void;
  /** The run is final. */
  readonly onEnd: () => void;
}

/** What the agent of a run says, while it says it. */
export function LiveOutput({ runId, onHeard, onEnd }: LiveOutputProps) {
  const said = useRef(nothingSaid);
  const [shown, setShown] = useState(nothingSaid);
  const [connection, setConnection] = useState<{ readonly state: State; readonly error: ApiError | undefined }>();
  useEffect(() => {
    const stop = new AbortController();
    let timer: number | undefined;
    const draw = (): void => {
      timer ??= window.setTimeout(() => {
        timer = undefined;
        setShown(said.current);
        const { attempt, length: characters, from, to } = said.current;
        onHeard({ attempt, characters, from, to });
      }, drawMs);
    };
    const onEvent = ({ event, id, data }: StreamEvent): void => {
      if (event === 'delta') {
        said.current = heard(said.current, JSON.parse(data));
        draw();
      }
      // An error without such an id is that of the stream, which is opened again.
      if ((event !== 'done' && event !== 'error') || id?.endsWith('.end') !== true) return;
      stop.abort();
      onEnd();
    };
    const onState = (state: State, error?: ApiError): void => setConnection({ state, error });
    void followStream(`/runs/${encodeURIComponent(runId)}/deltas`, { onEvent, onState }, stop.signal);
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [runId]);
  const box = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);
  // A reader who has scrolled back stays there.
  useLayoutEffect(() => {
    if (box.current !== null && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown]);
  const onScroll = ({ currentTarget }: { readonly currentTarget: HTMLElement }): void => {
    isAtEnd.current = currentTarget.scrollTop + currentTarget.clientHeight > currentTarget.scrollHeight - 30;
  };
  const { text, attempt, length, missed } = shown;
  return (
    <div class="text live">
      <p role="status" class="muted">
        {stateText(connection?.state, connection?.error)}
      </p>
      {attempt > 0 && (
        <>
          <pre
            ref={box}
            tabIndex={0}
            role="region"
            aria-label={`What the agent says, attempt ${attempt}`}
            onScroll={onScroll}
          >
            <bdi>{printable(text.slice(-most.shown))}</bdi>
          </pre>
          <p class="muted">
            Attempt {attempt}: {plural(length, 'character')} so far
            {text.length > most.shown && `, of which the last ${plural(most.shown, 'character')} are shown`}
            {missed > 0 && `; ${plural(missed, 'character')} were said before and are no longer kept`}
          </p>
        </>
      )}
    </div>
  );
}

function heard(before: Said, delta: { attempt: number; offset: number; text: string }): Said {
  const { attempt, offset, text } = delta;
  const now = Date.now();
  const earlier = attempt === before.attempt ? before : { ...nothingSaid, attempt, from: now };
  const missed = earlier.missed + Math.max(0, offset - earlier.length);
  return {
    ...{ attempt, missed, from: earlier.from, to: now },
    ...{ text: (earlier.text + text).slice(-most.kept), length: offset + text.length },
  };
}

function stateText(state: State | undefined, error: ApiError | undefined): string {
  switch (state) {
    case 'open':
      return 'Following what the agent says.';
    case 'waiting':
      return `The connection was lost${error === undefined ? '' : ` (${error.message})`}. Connecting again …`;
    case 'ended':
      return error?.message ?? 'The stream has ended.';
    default:
      return 'Connecting …';
  }
}
