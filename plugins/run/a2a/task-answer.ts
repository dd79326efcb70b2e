import { type Artifact, type Part, type StreamResponse, Task, TaskState } from '@a2a-js/sdk';
import type { JsonValue } from '../../../src/contract/index.ts';
import { hasText, messagePieces, outputOf, piecesOf } from './content.ts';
import { AgentFault } from './fault.ts';
import { type Passage, separator, ToldText } from './told-text.ts';

export type AgentEvent = NonNullable<StreamResponse['payload']>;

/** Far more than a UUID, which most agents take. */
const longestId = 1024;

/** States in which an agent goes on by itself. An agent that tells no state has not said that it is done. */
const working = new Set([
  TaskState.TASK_STATE_UNSPECIFIED,
  TaskState.TASK_STATE_SUBMITTED,
  TaskState.TASK_STATE_WORKING,
]);

interface KnownArtifact extends Passage {
  artifact: Artifact;
  pieces: string[];
  isComplete: boolean;
}

/** A task as its agent has told of it so far, in whole or event by event. */
export class TaskAnswer {
  #task: Task = { id: '', contextId: '', status: undefined, artifacts: [], history: [], metadata: undefined };
  readonly #told = new ToldText();
  readonly #indexes = new Map<string, number>();
  #artifacts: KnownArtifact[] = [];
  #hasText = false;

  get id(): string {
    return this.#task.id;
  }

  get contextId(): string {
    return this.#task.contextId;
  }

  get state(): TaskState {
    return this.#task.status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
  }

  /** Whether the agent does nothing more by itself. */
  get isSettled(): boolean {
    return !working.has(this.state);
  }

  /** Throws an AgentFault if the agent's ids cannot be kept. */
  apply(event: AgentEvent): void {
    switch (event.$case) {
      case 'task':
        this.#identify(event.value.id, event.value.contextId);
        if (event.value.id === this.id) this.#replace(event.value);
        break;
      case 'statusUpdate':
        this.#identify(event.value.taskId, event.value.contextId);
        if (event.value.taskId === this.id && event.value.status !== undefined) this.#task.status = event.value.status;
        break;
      case 'artifactUpdate': {
        const { taskId, contextId, artifact, append, lastChunk } = event.value;
        this.#identify(taskId, contextId);
        if (taskId === this.id && artifact !== undefined) this.#update(artifact, append, lastChunk);
        break;
      }
      case 'message':
      // A message is an answer by itself, and has no place among the events of a task.
    }
  }

  /** What can be told of the text of the output that was not before. Data alone is told by the output only. */
  takeDelta(): string {
    const closing = this.#closingParts();
    if (!this.#hasText && !hasText(closing)) return '';
    if (!this.isSettled) return this.#told.next(this.#artifacts);
    for (const artifact of this.#artifacts) artifact.isComplete = true;
    return this.#told.next([...this.#artifacts, { pieces: messagePieces(closing), isComplete: true }]);
  }

  /** What the agent has made, and what it asks if it does; what it says if it has made nothing. */
  get output(): JsonValue {
    const closing = this.#closingParts();
    const parts = [...this.#artifacts.flatMap(({ artifact }) => artifact.parts), ...closing];
    const texts = [...this.#artifacts.map(({ pieces }) => pieces.join('')), ...messagePieces(closing)];
    return outputOf(parts, () => texts.filter((text) => text !== '').join(separator));
  }

  toJson(): JsonValue {
    return Task.toJSON({ ...this.#task, artifacts: this.#artifacts.map(({ artifact }) => artifact) }) as JsonValue;
  }

  #identify(id: string, contextId: string): void {
    this.#task.id ||= checkedId(id);
    this.#task.contextId ||= checkedId(contextId);
  }

  /** What a task is told with in whole may leave artifacts out that were told before. */
  #replace(task: Task): void {
    this.#task = { ...task, contextId: this.contextId };
    if (task.artifacts.length === 0) return;
    this.#indexes.clear();
    this.#artifacts = [];
    this.#hasText = false;
    this.#told.restart();
    // As they are listed: what identifies them need not be there.
    for (const artifact of task.artifacts) this.#add(artifact, false);
  }

  #add(artifact: Artifact, isComplete: boolean): void {
    this.#indexes.set(artifact.artifactId, this.#artifacts.length);
    this.#artifacts.push({ artifact, pieces: piecesOf(artifact.parts), isComplete });
    this.#hasText ||= hasText(artifact.parts);
  }

  #update(artifact: Artifact, append: boolean, isComplete: boolean): void {
    const index = this.#indexes.get(artifact.artifactId) ?? this.#artifacts.length;
    const known = this.#artifacts[index];
    const pieces = piecesOf(artifact.parts);
    this.#hasText ||= hasText(artifact.parts);
    if (known === undefined) {
      this.#add(artifact, isComplete);
    } else if (append) {
      // In place: agents append without end, also to what they have said is complete.
      push(known.artifact.parts, artifact.parts);
      push(known.pieces, pieces);
      if (pieces.length > 0) this.#told.grow(index);
      known.isComplete = isComplete;
    } else {
      known.pieces = this.#told.change(index, known.pieces, pieces);
      known.artifact = artifact;
      known.isComplete = isComplete;
    }
  }

  #closingParts(): readonly Part[] {
    const parts = this.#task.status?.message?.parts ?? [];
    switch (this.state) {
      case TaskState.TASK_STATE_INPUT_REQUIRED:
        return parts;
      case TaskState.TASK_STATE_COMPLETED:
        return this.#artifacts.every(({ pieces }) => pieces.length === 0) ? parts : [];
      default:
        return [];
    }
  }
}

/** An id of the agent's that is to be kept. Throws an AgentFault if it cannot be. */
export function checkedId(id: string): string {
  // The SDK takes what an agent of 0.3 sends as it is; a context may be left out.
  if (typeof (id ?? '') !== 'string') throw new AgentFault('agent answered with an id that is not a text');
  if (id?.length > longestId) throw new AgentFault('agent answered with an id that is too long');
  return id ?? '';
}

/** Without a spread, which takes only so many. */
function push<T>(list: T[], items: readonly T[]): void {
  for (const item of items) list.push(item);
}
