import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { isObject, membersOf } from '../../../src/run-kit/index.ts';
import { listIn, partsIn } from './content.ts';

/** Returns a message to the agent as JSON of A2A 0.3. */
export function messageForLegacy(message: JsonObject): JsonObject {
  const parts = partsIn(message).map((part) => ({ kind: 'text' in part ? 'text' : 'data', ...part }));
  return { kind: 'message', role: 'user', ...message, parts };
}

/** Returns an event of A2A 0.3 as that of 1.0; without members if it is none. */
export function eventOfLegacy(result: JsonValue): JsonObject {
  const { kind, ...members } = membersOf(result);
  switch (kind) {
    case 'message':
      return { message: messageOf(members) };
    case 'task':
      return { task: taskOfLegacy(members) };
    case 'status-update':
      return { statusUpdate: { ...members, status: statusOf(members.status) } };
    case 'artifact-update':
      return { artifactUpdate: { ...members, artifact: contentOf(members.artifact) } };
    default:
      return {};
  }
}

export function taskOfLegacy(result: JsonValue): JsonObject {
  const { kind: _, status, artifacts, history, ...members } = membersOf(result);
  return {
    ...members,
    status: statusOf(status),
    ...(artifacts !== undefined && { artifacts: listIn(artifacts).map(contentOf) }),
    ...(Array.isArray(history) && { history: history.map(messageOf) }),
  };
}

/** `input-required` is TASK_STATE_INPUT_REQUIRED. */
function statusOf(value: JsonValue | undefined): JsonObject {
  const { state, message, ...members } = membersOf(value);
  const name = typeof state === 'string' ? state.toUpperCase().replaceAll('-', '_') : 'UNSPECIFIED';
  return {
    ...members,
    state: `TASK_STATE_${name}`,
    ...(message && { message: isObject(message) ? messageOf(message) : message }),
  };
}

function messageOf(value: JsonValue): JsonObject {
  const { kind: _, role, ...message } = contentOf(value);
  return { ...message, role: role === 'user' ? 'ROLE_USER' : 'ROLE_AGENT' };
}

/** Of a message or an artifact. */
function contentOf(value: JsonValue | undefined): JsonObject {
  const content = membersOf(value);
  return { ...content, parts: partsIn(content).map(partOf) };
}

function partOf({ kind, file, data, ...part }: JsonObject): JsonObject {
  if (kind === 'data') {
    // Agents of 1.0 that also speak 0.3, in which data is an object, wrap other values in one.
    const isWrapped = membersOf(part.metadata).data_part_compat === true;
    return { ...part, data: (isWrapped ? membersOf(data).value : data) ?? null };
  }
  if (kind !== 'file') return part;
  const { bytes, uri, name, mimeType } = membersOf(file);
  return {
    ...part,
    ...(bytes === undefined ? { url: uri ?? null } : { raw: bytes }),
    ...(name !== undefined && { filename: name }),
    ...(mimeType !== undefined && { mediaType: mimeType }),
  };
}
