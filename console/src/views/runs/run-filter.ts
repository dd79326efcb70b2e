import type { FilterField } from '../../components/filters.tsx';

export const states = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'input_required', 'suspect'] as const;

/** What the list can be filtered by. Their names are parameters of the address. */
export const filterFields: readonly FilterField[] = [
  { name: 'error', title: 'Error contains', placeholder: 'timed out' },
  { name: 'state', title: 'State', choices: states },
  { name: 'trigger', title: 'Trigger', placeholder: 'project/key' },
  { name: 'caller', title: 'Caller' },
  { name: 'newerThan', title: 'Accepted within', placeholder: '2h' },
  { name: 'olderThan', title: 'Older than', placeholder: '1d' },
  { name: 'session', title: 'Session' },
  { name: 'request', title: 'Request id' },
  { name: 'where', title: 'Other conditions', placeholder: 'cost > 0.5 and attempt > 1' },
];

type Query = Readonly<Record<string, string>>;

/** The parameters of `GET /runs` and `GET /runs/count` that select what the address names. */
export function selectionOf(query: Query): Query {
  const conditions = [
    ...(query.error ? [`error ~ ${quoted(query.error)}`] : []),
    ...(query.caller ? [`caller = ${quoted(query.caller)}`] : []),
    ...(query.session ? [`session = ${quoted(query.session)}`] : []),
    ...(query.replayOf ? [`replayOf = ${quoted(query.replayOf)}`] : []),
    ...(query.where ? [query.where] : []),
  ];
  const given = ['state', 'trigger', 'newerThan', 'olderThan', 'request'].flatMap((name) => {
    const value = query[name];
    return value ? [[name, value] as const] : [];
  });
  return Object.fromEntries([
    ...given,
    ...(conditions.length > 0 ? [['where', conditions.join(' and ')] as const] : []),
  ]);
}

/** Whether the set is all runs that are kept. */
export function isFiltered(query: Query): boolean {
  return Object.keys(selectionOf(query)).length > 0;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, (character) => `\\${character}`)}"`;
}
