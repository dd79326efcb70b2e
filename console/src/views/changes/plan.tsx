import type { PlanDocument, PlannedBehaviour, PlannedGroup } from '../../../../src/review/plan/plan-document.gen.ts';
import { withQuery } from '../../api/client.ts';
import { useResource } from '../../api/resource.ts';
import { Badge } from '../../components/badge.tsx';
import { Loading, ResourceFailure } from '../../components/feedback.tsx';
import { plural, shortId } from '../../components/format.ts';
import { Section } from '../../components/page.tsx';
import { printable } from '../../components/printable.ts';
import { Table } from '../../components/table.tsx';
import { hrefOf } from '../../routing/location.ts';

/** What the change from one revision to another means, as `pullcord plan` says it. */
export function Plan({ from, to }: { readonly from: string; readonly to: string }) {
  const plan = useResource<PlanDocument>(withQuery('/plan', { from, to }));
  const { data } = plan;
  return (
    <Section title={`From ${shortId(from)} to ${shortId(to)}`}>
      <ResourceFailure resource={plan} />
      {data === undefined && plan.error === undefined && <Loading what="the plan" />}
      {data !== undefined && (
        <>
          <p role="status">{printable(data.summary)}</p>
          <Warnings warnings={data.warnings} />
          <Structure structure={data.structure} />
          <Access access={data.access} />
          {data.behaviour !== undefined && <Behaviour behaviour={data.behaviour} />}
        </>
      )}
    </Section>
  );
}

function Warnings({ warnings }: Pick<PlanDocument, 'warnings'>) {
  if (warnings.length === 0) return null;
  return (
    <>
      <h3>Warnings</h3>
      <ul>
        {warnings.map(({ code, message, widens, place }) => (
          <li key={`${code} ${place} ${message}`}>
            <Badge word={widens ? 'widens access' : 'warning'} tone="warn" /> {printable(message)}{' '}
            <span class="muted mono">{printable(place)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Structure({ structure }: Pick<PlanDocument, 'structure'>) {
  if (structure.length === 0) return null;
  return (
    <>
      <h3>What changes</h3>
      <ul>
        {structure.map(({ subject, id, action, details, place }) => (
          <li key={`${subject} ${id}`}>
            {subject} <bdi>{printable(id)}</bdi> is {action} <span class="muted mono">{printable(place)}</span>
            {details.length > 0 && (
              <Table
                label={`What changes of ${printable(id)}`}
                rows={details.map((detail, index) => ({ ...detail, index }))}
                keyOf={({ index }) => String(index)}
                columns={[
                  { title: 'What', cell: ({ what }) => printable(what) },
                  { title: 'Before', cell: ({ before }) => <bdi class="mono">{printable(before ?? '–')}</bdi> },
                  { title: 'After', cell: ({ after }) => <bdi class="mono">{printable(after ?? '–')}</bdi> },
                ]}
              />
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function Access({ access }: Pick<PlanDocument, 'access'>) {
  if (access.length === 0) return null;
  return (
    <>
      <h3>Who may fire what</h3>
      <ul>
        {access.map(({ caller, gains, loses }) => (
          <li key={caller}>
            <bdi>{printable(caller)}</bdi>
            {gains.length > 0 && ` gains ${printable(gains.join(', '))}`}
            {loses.length > 0 && ` loses ${printable(loses.join(', '))}`}
          </li>
        ))}
      </ul>
    </>
  );
}

function Behaviour({ behaviour }: { readonly behaviour: PlannedBehaviour }) {
  const { requests, changed, masked, groups } = behaviour;
  return (
    <>
      <h3>Recorded requests</h3>
      <p>
        {plural(requests, 'request')} tried with both; {changed === 0 ? 'none' : plural(changed, 'request')} would get a
        different verdict{masked > 0 && `; of ${masked} some values are masked`}.
      </p>
      <ul>
        {groups.map((group) => (
          <Group key={`${group.trigger} ${group.before} ${group.after} ${group.filter}`} group={group} />
        ))}
      </ul>
    </>
  );
}

function Group({ group: { trigger, before, after, filter, count, samples } }: { readonly group: PlannedGroup }) {
  return (
    <li>
      {plural(count, 'request')} of <bdi>{printable(trigger)}</bdi>: <Badge word={before} /> → <Badge word={after} />
      {filter !== undefined && (
        <>
          {' '}
          by <bdi>{printable(filter)}</bdi>
        </>
      )}
      <div>
        {samples.map(({ id, caller }) => (
          <span key={id}>
            <a href={hrefOf(['requests', id])}>{shortId(id, 13)}…</a>{' '}
            {caller !== undefined && <bdi>{printable(caller)}</bdi>}{' '}
          </span>
        ))}
      </div>
    </li>
  );
}
