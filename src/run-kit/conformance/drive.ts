import type { FinalRunResult, JsonValue, PluginLog, Run, RunRequest } from '../../contract/index.ts';
import { Completions } from '../../runtime/attempt/completions.ts';
import { executeAttempt } from '../../runtime/attempt/execute-attempt.ts';

/** How an attempt is driven. Without options it has no deadline but the plugin's own, and is never cancelled. */
export interface DriveOptions {
  /** The engine's signal: aborted for a cancelled run, or with an AttemptReleased when the gateway stops. */
  readonly signal?: AbortSignal | undefined;
  /** The trigger's `run.timeout` in milliseconds; by default what the plugin returns as `timeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** What an interrupted attempt saved: this one resumes it. */
  readonly checkpoint?: JsonValue | undefined;
  /** Where results arrive that the agent posts to the completion URL. */
  readonly completions?: Completions;
  readonly onDelta?: (text: string) => void;
  readonly log?: PluginLog;
}

/** What an attempt did. */
export interface Driven {
  /** As callers may see it: without `detail`. */
  readonly result: FinalRunResult;
  /** What the agent said of a failure. */
  readonly detail: string | undefined;
  readonly deltas: readonly string[];
  /** The checkpoints that were saved, each for `checkpoint` of a later attempt; `handle` is the plugin's own. */
  readonly saved: readonly SavedCheckpoint[];
}

export type SavedCheckpoint = JsonValue & { readonly handle: JsonValue };

const silent: PluginLog = { info() {}, warn() {}, error() {} };

/** Executes one attempt of a run by a plugin with the code of the gateway: deadline, cancellation, stream, detached work. */
export async function drive(run: Run, request: RunRequest, options: DriveOptions = {}): Promise<Driven> {
  const { signal = new AbortController().signal, timeoutMs = run.timeoutMs ?? Infinity, log = silent } = options;
  const { checkpoint, completions = new Completions(), onDelta } = options;
  const deltas: string[] = [];
  const saved: SavedCheckpoint[] = [];
  const { detail, ...result }: FinalRunResult & { readonly detail?: string } = await executeAttempt(
    run,
    request,
    {
      signal,
      session: request.session,
      checkpoint,
      save: (value) => void saved.push(value as SavedCheckpoint),
      emit({ text }) {
        deltas.push(text);
        onDelta?.(text);
      },
    },
    { uses: 'the plugin under test', timeoutMs, completions, log },
  );
  return { result, detail, deltas, saved };
}
