import { useState } from 'preact/hooks';
import type { ExplanationDocument } from '../../../../src/review/explanation.gen.ts';
import type { RecordedRequestDocument } from '../../../../src/runtime/recording/recorded-request.gen.ts';
import { postJson } from '../../api/client.ts';
import { useResource } from '../../api/resource.ts';
import { mayOperate } from '../../api/session.ts';
import { Badge } from '../../components/badge.tsx';
import { Copy } from '../../components/copy.tsx';
import { Confirm } from '../../components/dialog.tsx';
import { Explanation } from '../../components/explanation.tsx';
import { Loading, ResourceFailure } from '../../components/feedback.tsx';
import { shortId } from '../../components/format.ts';
import { Json } from '../../components/json.tsx';
import { Facts, Page, Section } from '../../components/page.tsx';
import { printable } from '../../components/printable.ts';
import { Text } from '../../components/text.tsx';
import { Time } from '../../components/time.tsx';
import { Change, TryIt } from '../../components/try-it.tsx';
import { hrefOf } from '../../routing/location.ts';

interface FiredDocument {
  readonly outcome: string;
  readonly by?: string;
  readonly runId?: string;
  readonly run?: { readonly runId?: string };
}

interface Served {
  readonly revision: string;
  readonly gitCommit: string | null;
}

/** A recorded request: what decided about it, its way through the stages, and what it would have taken. */
export function OneRequest({ id }: { readonly id: string }) {
  const path = `/requests/${encodeURIComponent(id)}`;
  const recorded = useResource<RecordedRequestDocument>(path);
  const explained = useResource<ExplanationDocument>(`${path}/explanation`);
  const served = useResource<Served>('/config');
  const [edited, setEdited] = useState<unknown>();
  const request = recorded.data;
  return (
    <Page title="Request" actions={<a href={hrefOf(['requests'])}>All requests</a>}>
      <ResourceFailure resource={recorded} />
      {request === undefined && recorded.error === undefined && <Loading what="the request" />}
      {request !== undefined && <Decision request={request} />}
      {request !== undefined && (
        <Section title="Its way through the stages">
          {served.data !== undefined && served.data.revision !== request.revision && (
            <OtherRevision request={request} />
          )}
          <ResourceFailure resource={explained} />
          {explained.data === undefined && explained.error === undefined && <Loading what="the explanation" />}
          {explained.data !== undefined && <Explanation explanation={explained.data} />}
          {explained.data !== undefined && <Change explanation={explained.data} apply={setEdited} />}
        </Section>
      )}
      {request !== undefined && <Sent request={request} />}
      {request !== undefined && request.text === undefined && request.omitted === undefined && (
        <Section title="Try it again, edited">
          <p class="muted">A dry run on the config that serves: no agent is called and nothing is stored.</p>
          <TryIt
            // Another change begins anew.
            key={JSON.stringify(edited ?? null)}
            project={request.project}
            trigger={request.trigger}
            body={edited ?? request.body ?? {}}
            headers={request.headers}
          />
        </Section>
      )}
    </Page>
  );
}

function Decision({ request }: { readonly request: RecordedRequestDocument }) {
  const { verdict, by, code, status, reason, project, trigger, caller, requestId, receivedAt, ip } = request;
  const { provenance, gitCommit, dirty, revision, runId, limits = [] } = request;
  const isQuotable = by !== undefined && !/["\\]/.test(by);
  const same = isQuotable ? `by = "${by}"` : code !== undefined ? `code = ${code}` : undefined;
  const alike = { verdict, trigger: `${project}/${trigger}`, where: same };
  const commit = gitCommit === undefined ? `revision ${shortId(revision)}` : `commit ${shortId(gitCommit)}`;
  return (
    <Section
      title="What decided"
      actions={
        <>
          <a href={hrefOf(['requests'], alike)}>Others like it</a>
          <FireAgain request={request} />
        </>
      }
    >
      <Facts
        facts={[
          ['Verdict', <Badge key="verdict" word={verdict} />],
          ['By', by === undefined ? undefined : <bdi key="by">{printable(by)}</bdi>],
          ['Answer', `${status}${code === undefined ? '' : ` ${code}`}`],
          ['Reason', reason === undefined ? undefined : printable(reason)],
          [
            'Decided at',
            <span key="at" class="mono">
              {printable(provenance)}
            </span>,
          ],
          [
            'Config',
            <span key="config">
              <span class="mono" title={gitCommit ?? revision}>
                {commit}
              </span>{' '}
              <Copy text={gitCommit ?? revision} what="the commit or revision" />
              {dirty === true && ' (differed from what was committed)'}
            </span>,
          ],
          ['Trigger', printable(`${project}/${trigger}`)],
          ['Caller', <bdi key="caller">{printable(caller)}</bdi>],
          ['Received', <Time key="received" at={receivedAt} withMs />],
          ['Address', ip],
          [
            'X-Request-Id',
            requestId === undefined ? undefined : (
              <span key="id" class="mono">
                {printable(requestId)}
              </span>
            ),
          ],
          [
            'Run',
            runId === undefined ? undefined : (
              <a key="run" href={hrefOf(['runs', runId])}>
                {shortId(runId, 13)}…
              </a>
            ),
          ],
          [
            'Limits',
            limits.map(({ name, mode }) => `${printable(name)}${mode === 'shadow' ? ' (shadow)' : ''}`).join(', '),
          ],
        ]}
      />
    </Section>
  );
}

/** Fires it for real, as it was recorded, past auth: for requests that a wrong filter dropped. */
function FireAgain({ request: { id, verdict, masked, omitted } }: { readonly request: RecordedRequestDocument }) {
  const [isAsking, setAsking] = useState(false);
  const [fired, setFired] = useState<FiredDocument>();
  if (!mayOperate.value || verdict === 'accepted' || masked.length > 0 || omitted !== undefined) return null;
  const perform = async (): Promise<void> => {
    setFired(await postJson<FiredDocument>(`/requests/${encodeURIComponent(id)}/fire`));
  };
  const runId = fired?.run?.runId ?? fired?.runId;
  return (
    <>
      <button type="button" onClick={() => setAsking(true)}>
        Fire it
      </button>
      {fired !== undefined && (
        <span role="status">
          {fired.outcome.replaceAll('_', ' ')}
          {fired.by !== undefined && ` by ${printable(fired.by)}`}
          {runId !== undefined && (
            <>
              : <a href={hrefOf(['runs', runId])}>its run</a>
            </>
          )}
        </span>
      )}
      {isAsking && (
        <Confirm title="Fire the request" action="Fire it" perform={perform} close={() => setAsking(false)}>
          <p>
            It goes through the filters of the config that serves now, and its agent is called if they let it pass. Each
            recorded request is fired once. This is recorded in the audit trail.
          </p>
        </Confirm>
      )}
    </>
  );
}

function OtherRevision({ request: { gitCommit } }: { readonly request: RecordedRequestDocument }) {
  return (
    <p class="warn">
      The config that serves now is another one than decided then, and this is what it would decide.{' '}
      {gitCommit !== undefined && (
        <>
          With the one of then: <code>pullcord explain ID --at recorded</code>.
        </>
      )}
    </p>
  );
}

const omissions = {
  not_read: 'It was refused before its body was read.',
  not_kept: 'Its trigger keeps nothing of what callers send (record).',
} as const;

function Sent({ request }: { readonly request: RecordedRequestDocument }) {
  const { headers, query = {}, body, text, masked, omitted } = request;
  const [search, setSearch] = useState('');
  return (
    <Section
      title="What was sent"
      actions={
        <label>
          Search{' '}
          <input
            type="search"
            value={search}
            data-filter=""
            onInput={({ currentTarget }) => setSearch(currentTarget.value)}
          />
        </label>
      }
    >
      {omitted !== undefined && <p>{omissions[omitted]}</p>}
      {masked.length > 0 && <p class="muted">Masked before it was stored: {printable(masked.join(', '))}</p>}
      {Object.keys(headers).length > 0 && <Json value={{ headers }} search={search} />}
      {Object.keys(query).length > 0 && <Json value={{ query }} search={search} />}
      {body !== undefined && <Json value={body} search={search} />}
      {text !== undefined && <Text text={text} label="Body" search={search} />}
      {body === undefined && text === undefined && omitted === undefined && <p class="muted">It had no body.</p>}
    </Section>
  );
}
