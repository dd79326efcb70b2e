import type { ViewProps } from '../../routing/view-props.ts';
import { OneTrigger } from './one-trigger.tsx';
import { TriggerList } from './trigger-list.tsx';

/** The triggers of the config that serves, or one of them. */
export default function Triggers({ rest, query }: ViewProps) {
  const [project, key] = rest;
  if (project === undefined || key === undefined) return <TriggerList query={query} />;
  return <OneTrigger key={`${project}/${key}`} project={project} trigger={key} />;
}
