import type { IncomingHttpHeaders } from 'node:http';
import type { JsonValue, MaybePromise, PluginContext, Run, RunPlugin } from '../../contract/index.ts';
import { createOutboundClient } from '../../host/outbound/client.ts';
import { OutboundGuard } from '../../host/outbound/guard.ts';
import { parseOutboundTarget } from '../../schema/outbound-target.ts';

/** How a stand-in agent behaves when it is asked to begin the work of a run. */
export type AgentBehaviour =
  /** `shape` takes the place of the output's text in the answer, as JSON. */
  | { readonly kind: 'answers'; readonly output: string; readonly shape?: JsonValue }
  /** Works endlessly. It names its work `afterMs` milliseconds after it was asked, if agents of its protocol do. */
  | { readonly kind: 'works'; readonly afterMs: number }
  /** Sends valid pieces of an answer endlessly, as fast as they are taken. */
  | { readonly kind: 'floods' }
  /** Sends a byte of an answer every few milliseconds, endlessly. */
  | { readonly kind: 'drips' }
  /** Sends these bytes where its protocol has JSON, or the answer itself. */
  | { readonly kind: 'sends'; readonly bytes: Uint8Array }
  /** Sends an answer in Latin-1, whose text is not UTF-8. */
  | { readonly kind: 'sends_latin1' }
  | { readonly kind: 'refuses'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'resets' };

/** Options that a case depends on. */
export interface Bounds {
  /** The largest response in bytes. */
  readonly maxResponse: number;
}

/** An instance of a plugin and the stand-in agent that it calls. */
export interface OpenRunPlugin {
  readonly run: Run;
  /** How often the agent was asked to begin work. */
  begun(): number;
  /** Whether the agent was asked to stop; where its protocol has no such request, whether the connection was closed. */
  stopped(): boolean;
  /** All that the agent received, headers too. */
  received(): string;
  /** Closes the instance, then the agent. */
  close(): MaybePromise<void>;
}

/** What the cases need to know of a protocol. */
export interface RunPluginHarness {
  open(behaviour: AgentBehaviour, bounds: Bounds): MaybePromise<OpenRunPlugin>;
  /** Promises that make no sense in this protocol, each with the reason. */
  readonly exempt?: Readonly<Partial<Record<RunPluginPromise, string>>>;
}

/** The promises by a short name. */
export type RunPluginPromise =
  | ('answer' | 'unknown shape' | 'cancelled before' | 'cancelled' | 'named late' | 'timeout' | 'shutdown')
  | ('flood' | 'drip' | 'redirect' | 'oversize' | 'bad JSON' | 'hostile JSON' | 'encoding')
  | ('foreign memory' | 'reset' | 'statuses' | 'retry-after');

export interface RunPluginCase {
  readonly promise: RunPluginPromise;
  /** The promise as a sentence. */
  readonly name: string;
  /** Tries the promise. Rejects if it is broken. */
  run(harness: RunPluginHarness): Promise<void>;
}

/** A request to an agent. */
export interface AgentRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; undefined if it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a stand-in reads what its protocol has, and fails if it is not there.
  readonly json: any;
}

/** Creates an instance that may call this machine, as a gateway would whose `outbound.allow` names it. */
export async function createRun<Options>(
  plugin: RunPlugin<Options>,
  options: Options,
): Promise<{ readonly run: Run; close(): Promise<void> }> {
  const closers: (() => MaybePromise<void>)[] = [];
  const targets = ['127.0.0.0/8', '::1'].flatMap((entry) => parseOutboundTarget(entry) ?? []);
  const context: PluginContext = {
    log: { info() {}, warn() {}, error() {} },
    onClose: (closer) => void closers.push(closer),
    report() {},
    resolvePath: (path) => path,
    outbound(bounds) {
      const client = createOutboundClient(new OutboundGuard(() => targets), bounds);
      closers.push(() => client.close());
      return client;
    },
  };
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return { run: await plugin.create(context, options), close };
  } catch (error) {
    await close();
    throw error;
  }
}
