import type { Note, Notes } from '../../engine/types/index.ts';
import type { AlertMessage } from './message.ts';
import type { ActiveAlert } from './state.ts';

/** A message on its way to one receiver. */
export interface Outgoing {
  readonly receiver: string;
  readonly message: AlertMessage;
  readonly attempts: number;
  readonly dueAt: number;
}

/** The last message of a rule to a receiver. */
export interface LastSent {
  readonly state: AlertMessage['state'];
  readonly at: number;
  readonly result: 'delivered' | 'gone' | 'failed' | 'given_up';
  readonly status: number | undefined;
  readonly failure: string | undefined;
}

/** All that a restart must not forget of alerts, and that the nodes of a cluster share. */
export interface AlertsRecord {
  readonly active: readonly ActiveAlert[];
  readonly outgoing: readonly Outgoing[];
  /** By the name of the rule, then by that of the receiver. */
  readonly sent: Readonly<Record<string, Readonly<Record<string, LastSent>>>>;
  /** Since when each rule is watched. */
  readonly watched: Readonly<Record<string, number>>;
}

export const emptyRecord: AlertsRecord = { active: [], outgoing: [], sent: {}, watched: {} };

const key = 'alerts';

/** The record in the notes of the engine. */
export class StoredAlerts {
  readonly #notes: Notes;
  #version = 0;
  #text = '';

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  async read(): Promise<AlertsRecord> {
    const note = (await this.#notes.read(key)).find((one: Note) => one.key === key);
    this.#version = note?.version ?? 0;
    this.#text = note?.text ?? '';
    return note === undefined ? emptyRecord : { ...emptyRecord, ...JSON.parse(note.text) };
  }

  /** Whether it was written: not if another node has written since it was read. What has not changed is not written. */
  async write(record: AlertsRecord): Promise<boolean> {
    const text = JSON.stringify(record);
    if (text === this.#text) return true;
    if (!(await this.#notes.write(key, text, this.#version))) return false;
    this.#version += 1;
    this.#text = text;
    return true;
  }
}
