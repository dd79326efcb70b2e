import { sameKey } from '../config/trigger-key.ts';
import type { RequestMessage } from '../contract/index.ts';
import type { TailedRequestDocument } from './tailed-request.gen.ts';

/** Which requests somebody follows; absent members do not matter. */
export interface TailFilter {
  /** `project/key`, or a key. */
  readonly trigger?: string;
  readonly outcome?: string;
  readonly caller?: string;
  /** A part of the request id, the path or the reason, in any case. */
  readonly text?: string;
}

export function isFollowed(message: RequestMessage, { trigger, outcome, caller, text = '' }: TailFilter): boolean {
  const { project, trigger: key, requestId, path, reason } = message;
  const names = key === undefined ? [] : [key, `${project}/${key}`];
  if (trigger !== undefined && !names.some((name) => sameKey(name, trigger))) return false;
  if (outcome !== undefined && outcome !== (message.outcome ?? message.code)) return false;
  if (caller !== undefined && caller !== message.caller) return false;
  const wanted = text.toLowerCase();
  return wanted === '' || [requestId, path, reason].some((one) => one.toLowerCase().includes(wanted));
}

/** As the schema describes it. */
export function tailedRequest(message: RequestMessage): TailedRequestDocument {
  const { requestId, receivedAt, method, path, ip, project, trigger, caller, outcome, code, status, reason } = message;
  const { runId, durationMs = 0 } = message;
  return {
    ...{ requestId, receivedAt: new Date(receivedAt).toISOString(), method, path, ip },
    ...(trigger !== undefined && { trigger: `${project}/${trigger}` }),
    ...(caller !== undefined && { caller }),
    ...(outcome !== undefined && { outcome }),
    ...(code !== undefined && { code }),
    ...{ status: status ?? null, reason },
    ...(runId !== undefined && { runId }),
    durationMs,
  };
}
