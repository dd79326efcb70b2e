import {
  type EventInfo,
  type EventValue,
  type JsonValue,
  type SenderEvent,
  valueAtPointer,
} from '../contract/index.ts';
import { parseLexically } from './recording/lexical-json.ts';

/**
 * Reads the event of a webhook: what its head did not show stands in its parsed body.
 * @param exactText the input as JSON text, if a number in it is not the one that was sent
 */
export function eventInfo({ name, id, time }: SenderEvent, input: JsonValue, exactText?: string): EventInfo {
  const exact = exactText === undefined ? input : parseLexically(exactText);
  return { name: valueIn(name, exact), id: valueIn(id, exact), time: valueIn(time, exact) };
}

function valueIn(value: EventValue | undefined, input: JsonValue): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  for (const pointer of value.pointers) {
    const found = valueAtPointer(input, pointer);
    if (typeof found === 'string' || typeof found === 'number') return String(found);
    const digits = digitsOf(found);
    if (digits !== undefined) return digits;
  }
  return undefined;
}

/** Of a number that was parsed with its digits. */
function digitsOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== null) return undefined;
  const digits: unknown = Reflect.get(value, 'rawJSON');
  return typeof digits === 'string' ? digits : undefined;
}
