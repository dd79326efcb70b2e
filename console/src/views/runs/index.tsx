import { OneRun } from './one-run.tsx';
import { RunList } from './run-list.tsx';
import './runs.css';

interface RunsProps {
  readonly rest: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

/** All runs that match a filter, or one of them. */
export default function Runs({ rest, query }: RunsProps) {
  const [id] = rest;
  return id === undefined ? <RunList query={query} /> : <OneRun key={id} id={id} />;
}
