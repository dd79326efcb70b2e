import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { RunDocument } from '../../../../src/runtime/run-document.gen.ts';
import { ApiError, getJson, withQuery } from '../../api/client.ts';
import { signedOutBy } from '../../api/session.ts';

export interface RunPage {
  readonly runs: readonly RunDocument[];
  readonly next: string | null;
}

/** The first page is small, so that the list is there at once. */
const pageSizes = { first: 200, further: 1000 };
/** How many pages without a match are read in a row before somebody has to ask for more. */
const mostEmptyPages = 20;

export interface RunPages {
  readonly rows: readonly RunDocument[];
  readonly isLoading: boolean;
  /** Whether all runs that match are loaded. */
  readonly isComplete: boolean;
  readonly error: ApiError | undefined;
  loadMore(): void;
  /** Begins again with the newest run. */
  reload(): void;
}

interface State {
  readonly key: string;
  readonly rows: readonly RunDocument[];
  /** Undefined: nothing is loaded yet. Null: nothing is left. */
  readonly next: string | null | undefined;
  readonly error: ApiError | undefined;
}

/** The runs that match, the newest first, as many as were asked for so far. @param selection parameters of `GET /runs` */
export function useRunPages(selection: Readonly<Record<string, string>>): RunPages {
  const [turn, setTurn] = useState(0);
  const key = `${turn} ${withQuery('/runs', selection)}`;
  const [state, setState] = useState<State>(() => nothing(key));
  const [isLoading, setLoading] = useState(true);
  const working = useRef<AbortController | undefined>(undefined);
  const current = state.key === key ? state : nothing(key);
  const latest = useRef(current);
  latest.current = current;

  const load = useCallback(async (): Promise<void> => {
    if (working.current !== undefined || latest.current.next === null) return;
    const stop = new AbortController();
    working.current = stop;
    setLoading(true);
    try {
      let { rows } = latest.current;
      let next: State['next'] = latest.current.next;
      const before = rows.length;
      for (let page = 0; page < mostEmptyPages && next !== null && rows.length === before; page += 1) {
        const limit = next === undefined ? pageSizes.first : pageSizes.further;
        const found: RunPage = await getJson(
          withQuery('/runs', { ...selection, limit, ...(next != null && { after: next }) }),
          stop.signal,
        );
        rows = rows.concat(found.runs);
        next = found.next;
        if (!stop.signal.aborted) setState({ key, rows, next, error: undefined });
      }
    } catch (error) {
      if (stop.signal.aborted || signedOutBy(error)) return;
      const failure = error instanceof ApiError ? error : new ApiError(String(error));
      setState({ ...latest.current, key, error: failure });
    } finally {
      if (working.current === stop) {
        working.current = undefined;
        setLoading(false);
      }
    }
  }, [key]);

  useEffect(() => {
    void load();
    return () => {
      working.current?.abort();
      working.current = undefined;
    };
  }, [load]);

  const { rows, next, error } = current;
  return {
    ...{ rows, error, isLoading, isComplete: next === null },
    loadMore: () => void load(),
    reload: () => setTurn((before) => before + 1),
  };
}

function nothing(key: string): State {
  return { key, rows: [], next: undefined, error: undefined };
}
