import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, getJson, withQuery } from './client.ts';
import { signedOutBy } from './session.ts';

/** A list of the admin API, as its answers have it: the rows of a page, and the id behind which the next one begins. */
export interface ListSource {
  /** `/runs`. */
  readonly path: string;
  /** The member with the rows: `runs`. */
  readonly member: string;
}

/** The first page is small, so that the list is there at once. */
const pageSizes = { first: 200, further: 1000 };
/** How many pages without a match are read in a row before somebody has to ask for more. */
const mostEmptyPages = 20;

export interface ListPages<Row> {
  readonly rows: readonly Row[];
  readonly isLoading: boolean;
  /** Whether all rows that match are loaded. */
  readonly isComplete: boolean;
  readonly error: ApiError | undefined;
  loadMore(): void;
  /** Begins again with the newest row. */
  reload(): void;
}

interface State<Row> {
  readonly key: string;
  readonly rows: readonly Row[];
  /** Undefined: nothing is loaded yet. Null: nothing is left. */
  readonly next: string | null | undefined;
  readonly error: ApiError | undefined;
}

/** The rows that match, the newest first, as many as were asked for so far. @param selection parameters of the list */
export function useListPages<Row>(
  { path, member }: ListSource,
  selection: Readonly<Record<string, string>>,
): ListPages<Row> {
  const [turn, setTurn] = useState(0);
  const key = `${turn} ${withQuery(path, selection)}`;
  const [state, setState] = useState<State<Row>>(() => nothing(key));
  const [isLoading, setLoading] = useState(true);
  const working = useRef<AbortController | undefined>(undefined);
  const current = state.key === key ? state : nothing<Row>(key);
  const latest = useRef(current);
  latest.current = current;

  const load = useCallback(async (): Promise<void> => {
    if (working.current !== undefined || latest.current.next === null) return;
    const stop = new AbortController();
    working.current = stop;
    setLoading(true);
    try {
      let rows: readonly Row[] = latest.current.rows;
      let next: State<Row>['next'] = latest.current.next;
      const before = rows.length;
      for (let page = 0; page < mostEmptyPages && next !== null && rows.length === before; page += 1) {
        const limit = next === undefined ? pageSizes.first : pageSizes.further;
        const found: Readonly<Record<string, unknown>> = await getJson(
          withQuery(path, { ...selection, limit, ...(next != null && { after: next }) }),
          stop.signal,
        );
        rows = rows.concat(found[member] as readonly Row[]);
        next = found.next as string | null;
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

function nothing<Row>(key: string): State<Row> {
  return { key, rows: [], next: undefined, error: undefined };
}
