import { isFinal } from '../../contract/index.ts';
import type { RunQuery } from '../types/index.ts';
import { storable } from './text.ts';

/** The conditions of a list of runs, and the name by which its statement is prepared. */
export function listQuery({ project, trigger, state, requestId, since, after, limit, isBrief }: RunQuery): {
  readonly name: string;
  /** The tables that hold the fewest rows of that state lead. */
  readonly from: 'all' | 'open';
  readonly where: string;
  readonly order: string;
  readonly values: readonly unknown[];
} {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const names: string[] = [];
  const add = (name: string, condition: (place: string) => string, ...given: readonly unknown[]): void => {
    const first = values.length + 1;
    values.push(...given);
    names.push(name);
    conditions.push(condition(`$${first}`));
  };
  // The table that holds the fewest rows of that state leads.
  const lead = state === undefined ? 'r' : state === 'suspect' || !isFinal(state) ? 'q' : 'x';
  if (state === 'suspect') add('open suspects', () => 'q.interruptions > 0');
  else if (state === 'running') add('open running', () => "q.phase = 'running'");
  else if (state === 'queued') add('open queued', () => "q.phase <> 'running'");
  else if (state !== undefined) add('state', (place) => `x.state = ${place}`, state);
  if (trigger !== undefined) add('trigger', (place) => `r.trigger_key = ${place}`, storable(trigger));
  if (project !== undefined) add('project', (place) => `r.project = ${place}`, storable(project));
  if (requestId !== undefined) add('request', (place) => `r.request_id = ${place}`, storable(requestId));
  const time = lead === 'x' ? 'x' : 'r';
  if (since !== undefined) add('since', (place) => `${time}.accepted_at >= ${place}`, since);
  if (after !== undefined) {
    const next = values.length + 2;
    add(
      'after',
      (place) => `(${time}.accepted_at, ${time}.id) < (${place}, $${next})`,
      after.acceptedAt,
      storable(after.id),
    );
  }
  const last = values.length + 1;
  values.push(Math.max(0, limit));
  return {
    name: `list ${isBrief ? 'brief ' : ''}${names.join(' ')}`,
    from: lead === 'q' ? 'open' : 'all',
    where: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`,
    order: `ORDER BY ${time}.accepted_at DESC, ${time}.id DESC LIMIT $${last}`,
    values,
  };
}
