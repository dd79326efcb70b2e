import {
  type EventInfo,
  type EventValue,
  type JsonValue,
  type SenderEvent,
  valueAtPointer,
} from '../contract/index.ts';

/** Reads the event of a webhook: what its head did not show stands in its parsed body. */
export function eventInfo({ name, id, time }: SenderEvent, input: JsonValue): EventInfo {
  return { name: valueIn(name, input), id: valueIn(id, input), time: valueIn(time, input) };
}

function valueIn(value: EventValue | undefined, input: JsonValue): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  for (const pointer of value.pointers) {
    const found = valueAtPointer(input, pointer);
    if (typeof found === 'string' || typeof found === 'number') return String(found);
  }
  return undefined;
}
