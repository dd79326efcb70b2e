import type { ComponentType } from 'preact';
import type { ViewProps } from './view-props.ts';

export interface View {
  /** The first part of its address. */
  readonly name: string;
  readonly title: string;
  /** Typed after `g`, it leads there. */
  readonly key: string;
  /** Its code is loaded when it is opened. */
  load(): Promise<{ readonly default: ComponentType<ViewProps> }>;
}

/** The views, as they are listed. Each is a module with a default export in views/, loaded when it is opened. */
export const views: readonly View[] = [
  { name: 'overview', title: 'Overview', key: 'o', load: () => import('../views/overview/index.tsx') },
  { name: 'requests', title: 'Requests', key: 'r', load: () => import('../views/requests/index.tsx') },
  { name: 'runs', title: 'Runs', key: 'u', load: () => import('../views/runs/index.tsx') },
  { name: 'triggers', title: 'Triggers', key: 't', load: () => import('../views/triggers/index.tsx') },
  { name: 'filters', title: 'Filters', key: 'f', load: () => import('../views/filters/index.tsx') },
  { name: 'changes', title: 'Changes', key: 'c', load: () => import('../views/changes/index.tsx') },
  { name: 'keys', title: 'Keys', key: 'k', load: () => import('../views/keys/index.tsx') },
  { name: 'limits', title: 'Limits', key: 'l', load: () => import('../views/limits/index.tsx') },
  { name: 'nodes', title: 'Nodes', key: 'n', load: () => import('../views/nodes/index.tsx') },
];

/** The view of an address; the first one for an empty address; undefined if there is none. */
export function viewAt(path: readonly string[]): View | undefined {
  const [name = views[0]?.name] = path;
  return views.find((view) => view.name === name);
}
