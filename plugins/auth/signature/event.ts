import type { EventValue, RequestHead, SenderEvent } from '../../../src/contract/index.ts';
import type { Format } from './format.ts';
import { type HeadSource, parseSource, readHead } from './source.ts';

type EventOptions = NonNullable<Format['event']>;

/** Returns what reads the event of a request from its head; undefined for senders that describe none. */
export function eventReader(options: EventOptions | undefined): ((request: RequestHead) => SenderEvent) | undefined {
  if (options === undefined) return undefined;
  const name = valueReader(options.name);
  const id = valueReader(options.id);
  const time = valueReader(options.time);
  return (request) => ({ name: name(request), id: id(request), time: time(request) });
}

/** The event of a request by the first format that finds its type. */
export function describedEvent(formats: readonly Format[], request: RequestHead): SenderEvent {
  const events = formats.flatMap((format) => eventReader(format.event)?.(request) ?? []);
  return events.find(({ name }) => name !== undefined) ?? {};
}

function valueReader(places: string | string[] = []): (request: RequestHead) => EventValue | undefined {
  const sources = [places].flat().flatMap((place) => parseSource(place) ?? []);
  const inHead = sources.filter((source): source is HeadSource => source.kind !== 'body');
  const pointers = sources.flatMap((source) => (source.kind === 'body' ? [source.pointer] : []));
  const inBody = pointers.length === 0 ? undefined : Object.freeze({ pointers: Object.freeze(pointers) });
  if (inHead.length === 0) return () => inBody;
  return (request) => {
    for (const source of inHead) {
      const value = readHead(source, request, []);
      if (value) return value;
    }
    return inBody;
  };
}
