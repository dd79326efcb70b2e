import type { KeyDocument, KeySecretDocument, KeysDocument } from '../../../../src/runtime/keys/keys-document.gen.ts';
import { useResource } from '../../api/resource.ts';
import { Badge } from '../../components/badge.tsx';
import { Empty, Loading, ResourceFailure } from '../../components/feedback.tsx';
import { durationText, plural } from '../../components/format.ts';
import { Page, Section } from '../../components/page.tsx';
import { printable } from '../../components/printable.ts';
import { Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';

const refreshMs = 10_000;
const dayMs = 86_400_000;
/** Earlier than this an expiry needs no attention: as `pullcord status` says. */
const soonMs = 14 * dayMs;

/** API keys and tokens: what they may reach, until when, and when they were used last. */
export default function Keys() {
  const keys = useResource<KeysDocument>('/keys', refreshMs);
  return (
    <Page title="Keys">
      <ResourceFailure resource={keys} />
      {keys.data === undefined ? keys.error === undefined && <Loading what="keys" /> : <Lists {...keys.data} />}
    </Page>
  );
}

function Lists({ node, since, keys, adminTokens }: KeysDocument) {
  return (
    <>
      <Section title="API keys">
        <p class="muted">
          Last used since <Time at={since} />, when {printable(node)} started.
        </p>
        {keys.length === 0 ? (
          <Empty title="No API keys">
            <p>
              Create one with <code>pullcord keys create my-app --projects support --write</code>, and commit its file.
            </p>
          </Empty>
        ) : (
          <Table
            label="API keys"
            rows={keys}
            keyOf={({ id }) => id}
            columns={[
              {
                title: 'Key',
                cell: ({ id, use, provenance }) => (
                  <>
                    <bdi>{printable(id)}</bdi> {use === 'browser' && <Badge word="browser" tone="plain" />}
                    <div class="muted mono">{printable(provenance)}</div>
                  </>
                ),
              },
              { title: 'Status', cell: ({ status }) => <Badge word={status} /> },
              { title: 'Last used', cell: lastUse },
              { title: 'May reach', cell: reach },
              {
                title: 'Secrets',
                cell: ({ secrets }) => (
                  <ul class="plain">
                    {secrets.map((secret) => (
                      <li key={secret.name}>
                        <bdi>{printable(secret.name)}</bdi>: <Expiry at={secret.expiresAt} />
                      </li>
                    ))}
                  </ul>
                ),
              },
              { title: 'Own limits', cell: ({ limits }) => (limits.length === 0 ? 'none' : limits.join(', ')) },
            ]}
          />
        )}
      </Section>
      <Section title="Tokens of the admin listener">
        {adminTokens.length === 0 ? (
          <p class="muted">
            None: the admin listener answers this machine only. Create one with{' '}
            <code>pullcord keys create --admin --id NAME --role read</code>.
          </p>
        ) : (
          <Table
            label="Tokens of the admin listener"
            rows={adminTokens}
            keyOf={({ id }) => id}
            columns={[
              { title: 'Token', cell: ({ id }) => <bdi>{printable(id)}</bdi> },
              { title: 'Role', cell: ({ role }) => role },
              { title: 'Expires', cell: ({ expiresAt }) => <Expiry at={expiresAt} /> },
              { title: 'Declared', cell: ({ provenance }) => <span class="mono">{printable(provenance)}</span> },
            ]}
          />
        )}
      </Section>
    </>
  );
}

function lastUse({ lastUsedAt, secrets }: KeyDocument) {
  if (lastUsedAt === null) return <span class="muted">not since then</span>;
  const latest = secrets.reduce<KeySecretDocument | undefined>(
    (last, one) => ((one.lastUsedAt ?? '') > (last?.lastUsedAt ?? '') ? one : last),
    undefined,
  );
  return (
    <>
      <Time at={lastUsedAt} />
      {latest !== undefined && secrets.length > 1 && (
        <div class="muted">
          with <bdi>{printable(latest.name)}</bdi>
        </div>
      )}
    </>
  );
}

function reach({ permissions, projects, triggers, origins }: KeyDocument) {
  const where = projects.includes('*')
    ? 'all projects'
    : `${projects.length === 1 ? 'project' : 'projects'} ${projects.join(', ')}`;
  return (
    <>
      {permissions.join(', ')} in {printable(where)}
      {triggers !== undefined && <div>only {printable(triggers.join(', '))}</div>}
      {origins !== undefined && <div>from pages of {printable(origins.join(', '))}</div>}
    </>
  );
}

/** When something expires, in words and with a mark. */
function Expiry({ at }: { readonly at: string | null }) {
  if (at === null) return <>never expires</>;
  const left = Date.parse(at) - Date.now();
  if (left <= 0) {
    return (
      <>
        <Badge word="expired" /> <Time at={at} />
      </>
    );
  }
  const words = left < dayMs ? durationText(left) : plural(Math.floor(left / dayMs), 'day');
  return (
    <>
      {left < soonMs && <Badge word="expiring" />} <Time at={at} /> ({words} left)
    </>
  );
}
