import { type Part, Role, type SendMessageRequest } from '@a2a-js/sdk';
import type { RunRequest } from '../../../src/contract/index.ts';
import type { Mapped, Mapping } from '../mapping.ts';
import type { Conversation } from './remembered.ts';

/** How much of what was said before comes with a task; absent: all that the agent keeps. */
export interface HistoryLength {
  readonly historyLength?: number;
}

/** Makes what is sent to the agent, but for what the conversation adds. */
export async function partsOf(
  run: RunRequest,
  message: Mapping<string> | undefined,
  data: boolean,
): Promise<Mapped<Part[]>> {
  const { instruction } = run.input;
  const text = await (message?.apply(run.input, run) ?? {
    ok: true as const,
    value: typeof instruction === 'string' ? instruction : '',
  });
  if (!text.ok) return text;
  const parts: Part[] = [];
  if (text.value !== '') parts.push(partOf({ $case: 'text', value: text.value }));
  if (data || parts.length === 0) parts.push(partOf({ $case: 'data', value: run.input }));
  return { ok: true, value: parts };
}

/** By its message id, the run's own, an agent can tell a repeated attempt. */
export function requestOf(
  run: RunRequest,
  { contextId, taskId }: Conversation,
  parts: Part[],
  { historyLength }: HistoryLength,
): SendMessageRequest {
  return {
    tenant: '',
    message: {
      messageId: run.id,
      contextId,
      taskId,
      role: Role.ROLE_USER,
      parts,
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
    },
    configuration: {
      acceptedOutputModes: [],
      taskPushNotificationConfig: undefined,
      historyLength,
      // So that the task is known, and can be followed by the gateway's next start, as early as the agent can say.
      returnImmediately: true,
    },
    metadata: undefined,
  };
}

function partOf(content: NonNullable<Part['content']>): Part {
  return { content, metadata: undefined, filename: '', mediaType: '' };
}
