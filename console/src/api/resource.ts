import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, getJson } from './client.ts';
import { signedOutBy } from './session.ts';

export interface Resource<Document> {
  /** The last answer, also while the next one is awaited or has failed. */
  readonly data: Document | undefined;
  readonly error: ApiError | undefined;
  readonly isLoading: boolean;
  /** Asks again now. */
  refresh(): void;
}

interface State<Document> {
  readonly path: string | undefined;
  readonly data: Document | undefined;
  readonly error: ApiError | undefined;
}

/**
 * A document of the admin API.
 * @param path undefined: nothing is asked for yet
 * @param everyMs how often it is asked for again while the page is visible; undefined: never
 */
export function useResource<Document>(path: string | undefined, everyMs?: number): Resource<Document> {
  const [state, setState] = useState<State<Document>>({ path: undefined, data: undefined, error: undefined });
  const [isLoading, setLoading] = useState(path !== undefined);
  const [turn, setTurn] = useState(0);
  const pathNow = useRef(path);
  pathNow.current = path;

  useEffect(() => {
    if (path === undefined) return;
    const stop = new AbortController();
    let timer: number | undefined;
    const ask = async (): Promise<void> => {
      setLoading(true);
      try {
        const data = await getJson<Document>(path, stop.signal);
        if (!stop.signal.aborted) setState({ path, data, error: undefined });
      } catch (error) {
        if (stop.signal.aborted || signedOutBy(error)) return;
        const failure = error instanceof ApiError ? error : new ApiError(String(error));
        setState((before) => ({ path, data: before.path === path ? before.data : undefined, error: failure }));
      }
      setLoading(false);
      if (everyMs !== undefined) timer = window.setTimeout(again, everyMs);
    };
    const again = (): void => {
      if (!document.hidden) void ask();
      else timer = window.setTimeout(again, everyMs);
    };
    void ask();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [path, everyMs, turn]);

  const isCurrent = state.path === path;
  return {
    data: isCurrent ? state.data : undefined,
    error: isCurrent ? state.error : undefined,
    isLoading,
    refresh: () => setTurn((before) => before + 1),
  };
}
