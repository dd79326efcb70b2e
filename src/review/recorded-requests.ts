import type { TriggerConfig } from '../config/model.ts';
import { sameKey } from '../config/trigger-key.ts';
import type { RecordedRun } from '../engine/types/index.ts';
import { tookOf } from './recorded-takes.ts';
import type { RehearsedRequest } from './rehearsal.ts';
import type { SourcedRequest } from './request-source.ts';

/** A recorded request, or a body, for a dry run, with its recorded outcome if it has one. */
export interface TriableRequest extends RehearsedRequest {
  readonly id: string;
  /** Whether it says when it arrived; a body alone does not. */
  readonly hasOwnTime: boolean;
  readonly recordedVerdict: string | undefined;
  readonly recordedBy: string | undefined;
  /** Whether it was chosen at random: the others, recorded for their outcome alone, say nothing about shares. */
  readonly isSampled: boolean;
  /** Why it has no body; undefined: none was sent. */
  readonly omitted: SourcedRequest['omitted'];
  /** What its run took; undefined if it had none, or if that is not recorded. */
  readonly run: RecordedRun | undefined;
  /** JSON pointers into the body at which something was masked. */
  readonly masked: readonly string[];
}

/** Assigns requests to their triggers; one that names no trigger is for each of these. */
export function forTriggers(
  requests: readonly SourcedRequest[],
  triggers: readonly Pick<TriggerConfig, 'project' | 'key'>[],
): readonly TriableRequest[] {
  return requests.flatMap((request) => targetsOf(request, triggers).map((target) => triable(request, target)));
}

interface Target {
  readonly project: string;
  readonly trigger: string;
}

function targetsOf(
  { project, trigger }: SourcedRequest,
  triggers: readonly Pick<TriggerConfig, 'project' | 'key'>[],
): readonly Target[] {
  if (project !== undefined && trigger !== undefined) return [{ project, trigger }];
  return triggers
    .filter(({ key }) => trigger === undefined || sameKey(key, trigger))
    .filter((one) => project === undefined || one.project.id === project)
    .map((one) => ({ project: one.project.id, trigger: one.key }));
}

/** A request that names its trigger. */
export function triableRequest(request: SourcedRequest): TriableRequest {
  return triable(request, { project: request.project ?? '', trigger: request.trigger ?? '' });
}

function triable(request: SourcedRequest, target: Target): TriableRequest {
  const { id, receivedAt, hasOwnTime = true, caller, headers, ip, origin, bodyText } = request;
  const { masked, verdict, by, status, run, sampled: isSampled = true, omitted } = request;
  return {
    ...target,
    ...{ id, receivedAt, hasOwnTime, caller, headers, ip, origin, bodyText },
    run,
    took: tookOf(run, verdict === 'accepted' && status === 502),
    masked,
    recordedVerdict: verdict,
    recordedBy: by,
    isSampled,
    omitted,
  };
}
