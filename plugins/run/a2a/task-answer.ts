import { type Artifact, type Part, Task, TaskState } from '@a2a-js/sdk';
import type { JsonValue } from '../../../src/contract/index.ts';
import { AgentFault, failed } from '../../../src/run-kit/index.ts';
import { hasText, messagePieces, outputOf, piecesOf } from './content.ts';
import type { AgentEvent } from './dialect.ts';
import { type Passage, PublishedText, separator } from './published-text.ts';

/** Much longer than a UUID, which most agents use. */
const longestId = 1024;

/** States in which the agent continues by itself. An agent that reports no state has not said that it is done. */
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

/** A task as its agent has reported it so far, as a whole or event by event. */
export class TaskAnswer {
  #task: Task = { id: '', contextId: '', status: undefined, artifacts: [], history: [], metadata: undefined };
  readonly #text = new PublishedText();
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

  /** Whether the agent has stopped working on it. */
  get isSettled(): boolean {
    return !working.has(this.state);
  }

  /** Throws an AgentFault if the agent's ids cannot be stored. */
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
      // A message is an answer of its own, and is ignored among the events of a task.
    }
  }

  /** Returns the text of the output that can be published now and was not before. An output without text has none. */
  takeDelta(): string {
    const closing = this.#closingParts();
    if (!this.#hasText && !hasText(closing)) return '';
    if (!this.isSettled) return this.#text.next(this.#artifacts);
    for (const artifact of this.#artifacts) artifact.isComplete = true;
    return this.#text.next([...this.#artifacts, { pieces: messagePieces(closing), isComplete: true }]);
  }

  /** What the agent has made, and its question if it has one; its last message if it has made nothing. */
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

  /** A task as a whole may leave out artifacts that were reported before. */
  #replace(task: Task): void {
    this.#task = { ...task, contextId: this.contextId };
    if (task.artifacts.length === 0) return;
    this.#indexes.clear();
    this.#artifacts = [];
    this.#hasText = false;
    this.#text.restart();
    // In the order of the list: they need not have ids.
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
      // In place: agents append again and again, also to artifacts that they called complete.
      push(known.artifact.parts, artifact.parts);
      push(known.pieces, pieces);
      if (pieces.length > 0) this.#text.grow(index);
      known.isComplete = isComplete;
    } else {
      known.pieces = this.#text.change(index, known.pieces, pieces);
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

/** Returns an id of the agent. Throws an AgentFault if it cannot be stored. */
export function checkedId(id: string): string {
  // The SDK does not check ids of an agent of 0.3; a context may be left out.
  if (typeof (id ?? '') !== 'string') throw unusable('an id that is not a text');
  if (id?.length > longestId) throw unusable('an id that is too long');
  return id ?? '';
}

export function unusable(what: string): AgentFault {
  return new AgentFault(failed(`agent answered with ${what}`));
}

/** Without a spread, whose number of arguments is limited. */
function push<T>(list: T[], items: readonly T[]): void {
  for (const item of items) list.push(item);
}
