import type { ViewProps } from '../../routing/view-props.ts';
import { OneRequest } from './one-request.tsx';
import { RequestList } from './request-list.tsx';

/** What callers sent, recorded and live, or one recorded request. */
export default function Requests({ rest, query }: ViewProps) {
  const [id] = rest;
  return id === undefined ? <RequestList query={query} /> : <OneRequest key={id} id={id} />;
}
