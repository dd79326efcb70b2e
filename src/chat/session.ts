/** What the visitor said, and what came of it. */
export interface Turn {
  readonly said: string;
  readonly sessionId: string;
  answer: string;
  state: 'running' | 'done' | 'question' | 'stopped' | 'failed';
  /** Why it failed, in the words of the gateway; undefined if it was not reached. */
  error?: string | undefined;
  /** Of a run that may not have ended. */
  statusUrl?: string | undefined;
  /** The same for each repetition of a request whose fate is unknown. */
  requestKey: string;
}

export interface Session {
  /** Only the one who knows it reads the runs, so it is as random as a password. */
  readonly sessionId: string;
  readonly turns: readonly Turn[];
}

const mostTurns = 100;

/** The session of this tab, or a new one. */
export function readSession(name: string): { sessionId: string; turns: Turn[] } {
  try {
    const { sessionId, turns } = JSON.parse(sessionStorage.getItem(name) ?? '');
    if (typeof sessionId === 'string' && Array.isArray(turns)) return { sessionId, turns };
  } catch {
    // There is none, or the page may not store anything.
  }
  return { sessionId: randomId(), turns: [] };
}

export function writeSession(name: string, { sessionId, turns }: Session): void {
  try {
    sessionStorage.setItem(name, JSON.stringify({ sessionId, turns: turns.slice(-mostTurns) }));
  } catch {
    // The session ends with the page.
  }
}

/** Unlike `crypto.randomUUID`, also on a page without TLS. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, '0')).join('');
}
