import { Page } from '../../components/page.tsx';
import { hrefOf } from '../../routing/location.ts';
import type { ViewProps } from '../../routing/view-props.ts';
import { LiveTail } from './live-tail.tsx';
import { OneRequest } from './one-request.tsx';
import { RequestList } from './request-list.tsx';

/** What callers sent, recorded and live, or one recorded request. */
export default function Requests({ rest, query }: ViewProps) {
  const [id] = rest;
  if (id !== undefined && id !== 'live') return <OneRequest key={id} id={id} />;
  return (
    <Page title="Requests" actions={<Tabs isLive={id === 'live'} />}>
      {id === 'live' ? <LiveTail query={query} /> : <RequestList query={query} />}
    </Page>
  );
}

function Tabs({ isLive }: { readonly isLive: boolean }) {
  return (
    <>
      <a href={hrefOf(['requests'])} aria-current={isLive ? undefined : 'page'}>
        Recorded
      </a>
      <a href={hrefOf(['requests', 'live'])} aria-current={isLive ? 'page' : undefined}>
        Live
      </a>
    </>
  );
}
