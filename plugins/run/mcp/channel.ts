import type { Answer, Outgoing, Request } from './message.ts';

/** A way to a server: HTTP, or the stdin and stdout of a program. */
export interface Channel {
  /** Whether a server can be asked for its revisions before the handshake. A program might end, not knowing the question. */
  readonly mayBeAsked: boolean;
  /** The revision of MCP that messages are sent in; undefined until one is chosen. */
  revision: string | undefined;
  /** Given by the server, if it has sessions. */
  readonly sessionId?: string | undefined;
  /** Resolves with the answer to a request, and cancels it at the server when `signal` aborts. Rejects with an AgentFault. */
  request(request: Request, signal: AbortSignal, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Sends a message that is not answered. Rejects with an AgentFault if the server does not accept it. */
  notify(message: Outgoing, signal: AbortSignal): Promise<void>;
  /** Ends the session, or the program. Never rejects. */
  close(): Promise<void>;
}

/** From this revision on there are no sessions: each request says who sends it and in which revision. */
export const statelessRevision = '2026-07-28';
