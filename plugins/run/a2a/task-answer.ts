import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { isObject, membersOf } from '../../../src/run-kit/index.ts';
import { hasText, listIn, messagePieces, outputOf, partsIn, piecesOf } from './content.ts';
import type { AgentEvent } from './dialect.ts';
import { notA2a, unusable } from './faults.ts';
import { type Passage, PublishedText, separator } from './published-text.ts';
import { type Meaning, meaningOf } from './task-state.ts';

/** Much longer than a UUID, which most agents use. */
const longestId = 1024;

interface KnownArtifact extends Passage {
  artifact: JsonObject;
  parts: JsonObject[];
  pieces: string[];
  isComplete: boolean;
}

/** A task as its agent has reported it so far, as a whole or event by event. */
export class TaskAnswer {
  id = '';
  contextId = '';
  #task: JsonObject = {};
  readonly #text = new PublishedText();
  readonly #indexes = new Map<JsonValue | undefined, number>();
  #artifacts: KnownArtifact[] = [];
  #hasText = false;

  get meaning(): Meaning {
    return meaningOf(this.#task.status);
  }

  /** What the agent says of its state. */
  get statusMessage(): JsonValue | undefined {
    return membersOf(this.#task.status).message;
  }

  /** Whether the agent has stopped working on it. */
  get isSettled(): boolean {
    return this.meaning !== 'working';
  }

  /** Throws an AgentFault if the agent's ids cannot be stored. */
  apply({ kind, value }: AgentEvent): void {
    // A message is an answer of its own, and is ignored among the events of a task.
    if (kind === 'message') return;
    const id = checkedId(kind === 'task' ? value.id : value.taskId);
    this.id ||= id;
    this.contextId ||= checkedId(value.contextId);
    if (id !== this.id) return;
    const { status, artifact, append, lastChunk } = value;
    if (kind === 'task') this.#replace(value);
    else if (kind === 'statusUpdate' && isObject(status)) this.#task = { ...this.#task, status };
    else if (isObject(artifact)) this.#update(artifact, append === true, lastChunk === true);
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
    const parts = [...this.#artifacts.flatMap((artifact) => artifact.parts), ...closing];
    const texts = [...this.#artifacts.map(({ pieces }) => pieces.join('')), ...messagePieces(closing)];
    return outputOf(parts, () => texts.filter((text) => text !== '').join(separator));
  }

  toJson(): JsonObject {
    const artifacts = this.#artifacts.map(({ artifact, parts }) => ({ ...artifact, parts }));
    return { ...this.#task, id: this.id, contextId: this.contextId, artifacts };
  }

  /** A task as a whole may leave out artifacts that were reported before. */
  #replace(task: JsonObject): void {
    this.#task = task;
    const artifacts = listIn(task.artifacts);
    if (artifacts.length === 0) return;
    this.#indexes.clear();
    this.#artifacts = [];
    this.#hasText = false;
    this.#text.restart();
    // In the order of the list: they need not have ids.
    for (const artifact of artifacts) this.#add(artifact, false);
  }

  #add(artifact: JsonObject, isComplete: boolean): void {
    const parts = partsIn(artifact);
    this.#indexes.set(artifact.artifactId, this.#artifacts.length);
    this.#artifacts.push({ artifact, parts, pieces: piecesOf(parts), isComplete });
    this.#hasText ||= hasText(parts);
  }

  #update(artifact: JsonObject, append: boolean, isComplete: boolean): void {
    const index = this.#indexes.get(artifact.artifactId) ?? this.#artifacts.length;
    const known = this.#artifacts[index];
    if (known === undefined) {
      this.#add(artifact, isComplete);
      return;
    }
    const parts = partsIn(artifact);
    const pieces = piecesOf(parts);
    this.#hasText ||= hasText(parts);
    known.isComplete = isComplete;
    if (append) {
      // In place: agents append again and again, also to artifacts that they called complete.
      push(known.parts, parts);
      push(known.pieces, pieces);
      if (pieces.length > 0) this.#text.grow(index);
    } else {
      known.pieces = this.#text.change(index, known.pieces, pieces);
      known.artifact = artifact;
      known.parts = parts;
    }
  }

  #closingParts(): readonly JsonObject[] {
    const { meaning } = this;
    const isAnswer = meaning === 'completed' && this.#artifacts.every(({ pieces }) => pieces.length === 0);
    if (!isAnswer && meaning !== 'input_required') return [];
    const { message = null } = membersOf(this.#task.status);
    if (message !== null && !isObject(message)) throw notA2a();
    return partsIn(membersOf(message));
  }
}

/** Returns an id of the agent, empty if it is left out. Throws an AgentFault if it cannot be stored. */
export function checkedId(id: JsonValue | undefined): string {
  if (id === undefined || id === null) return '';
  if (typeof id !== 'string') throw unusable('an id that is not a text');
  if (id.length > longestId) throw unusable('an id that is too long');
  return id;
}

/** Without a spread, whose number of arguments is limited. */
function push<T>(list: T[], items: readonly T[]): void {
  for (const item of items) list.push(item);
}
