import { dirname, resolve } from 'node:path';
import type { JsonObject, Stage } from '../../contract/index.ts';
import type { Place } from '../../diagnostics/problem.ts';
import type { DefaultsDocument, RunStageDocument, StageDocument } from '../documents.gen.ts';
import type { RunConcurrency, StageUse } from '../model.ts';
import { descriptorOf } from '../stages.ts';
import { perOf } from './limit-config.ts';

/** A stage as it is written in YAML: one use of a plugin, a list of them, or a short form. */
export type WrittenStage = NonNullable<DefaultsDocument[Stage]>;

type WrittenUse = Exclude<WrittenStage, readonly unknown[]>;

/** The uses of plugins that are written at a place. */
export function usesOf(stage: Stage, file: string, pointer: string, written: WrittenStage): readonly StageUse[] {
  return isList(written)
    ? written.map((use, index) => stageUse(stage, file, `${pointer}/${index}`, use, index))
    : [stageUse(stage, file, pointer, written, 0)];
}

function isList(written: WrittenStage): written is Extract<WrittenStage, readonly unknown[]> {
  return Array.isArray(written);
}

function stageUse(stage: Stage, file: string, pointer: string, written: WrittenUse, index: number): StageUse {
  const use = typeof written === 'string' ? shortUse(stage, file, pointer, written) : useAt(file, pointer, written);
  return {
    ...use,
    ...(descriptorOf(stage).named && { name: nameOf(written) ?? `${stage} ${index + 1}` }),
    ...(stage === 'run' && runLimits(written as RunStageDocument, { file, pointer })),
  };
}

/** A use that is written out. */
export function useAt(file: string, pointer: string, { uses, with: options = noOptions }: StageDocument): StageUse {
  return {
    uses,
    with: options,
    folder: resolve(dirname(file)),
    place: { file, pointer },
    optionPlaces: (option) => ({ file, pointer: `${pointer}/with${option}` }),
  };
}

/** One value stands for the whole use, so every problem of its options is there. */
function shortUse(stage: Stage, file: string, pointer: string, written: string): StageUse {
  const { short } = descriptorOf(stage);
  const place = { file, pointer };
  const [uses, options] = typeof short === 'object' ? [short.uses, { [short.option]: written }] : [written, noOptions];
  return { uses, with: options, folder: resolve(dirname(file)), place, optionPlaces: () => place };
}

const noOptions: JsonObject = Object.freeze({});

function nameOf(written: WrittenUse): string | undefined {
  return typeof written === 'object' && 'name' in written ? written.name : undefined;
}

/** Without `retry` there is one attempt. */
const noRetry = { attempts: 1, backoff: 0, max: 0 };

/** The headers that expressions read by default. */
export const plainHeaders: readonly string[] = ['accept-language', 'content-type', 'origin', 'referer', 'user-agent'];

function runLimits(
  {
    concurrency,
    circuit,
    delay: delayMs,
    notBefore: notBeforeMs,
    timeout: timeoutMs,
    retry = noRetry,
    bindings = {},
  }: RunStageDocument,
  { file, pointer }: Place,
) {
  const { attempts, backoff: backoffMs, max: maxMs } = retry;
  const { headers = plainHeaders, claims = [] } = bindings;
  return {
    concurrency:
      concurrency === undefined ? undefined : concurrencyOf(concurrency, { file, pointer: `${pointer}/concurrency` }),
    circuit: circuit && { failures: circuit.failures, pauseMs: circuit.pause },
    delayMs,
    notBeforeMs,
    timeoutMs,
    retry: { attempts, backoffMs, maxMs },
    bindings: { headers, claims },
  };
}

function concurrencyOf(written: NonNullable<RunStageDocument['concurrency']>, place: Place): RunConcurrency {
  if (typeof written === 'number') return { limit: written, per: undefined, place };
  return { limit: written.limit, per: perOf(written.per), place };
}
