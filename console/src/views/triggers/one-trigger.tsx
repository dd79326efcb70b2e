import { useState } from 'preact/hooks';
import type {
  TriggerStageDocument,
  TriggerViewDocument,
} from '../../../../src/runtime/triggers/triggers-document.gen.ts';
import { useResource } from '../../api/resource.ts';
import { Badge } from '../../components/badge.tsx';
import { Loading, ResourceFailure } from '../../components/feedback.tsx';
import { plural } from '../../components/format.ts';
import { Json } from '../../components/json.tsx';
import { Facts, Page, Section } from '../../components/page.tsx';
import { printable } from '../../components/printable.ts';
import { Table } from '../../components/table.tsx';
import { TryIt } from '../../components/try-it.tsx';
import { hrefOf } from '../../routing/location.ts';
import { PatchDialog } from './patch-dialog.tsx';

export interface OneTriggerProps {
  readonly project: string;
  readonly trigger: string;
}

/** A trigger as it serves: where each part of it comes from, and what it would decide of a body. */
export function OneTrigger({ project, trigger }: OneTriggerProps) {
  const found = useResource<TriggerViewDocument>(
    `/triggers/${encodeURIComponent(project)}/${encodeURIComponent(trigger)}`,
  );
  const { data } = found;
  return (
    <Page title={printable(`${project}/${trigger}`)} actions={<a href={hrefOf(['triggers'])}>All triggers</a>}>
      <ResourceFailure resource={found} />
      {data === undefined && found.error === undefined && <Loading what="the trigger" />}
      {data !== undefined && <Declared view={data} />}
      {data !== undefined && <Stages view={data} />}
      {data !== undefined && (
        <Section title="Try it">
          <p class="muted">A dry run: no agent is called and nothing is stored.</p>
          <TryIt project={data.project} trigger={data.key} />
        </Section>
      )}
    </Page>
  );
}

function Declared({ view }: { readonly view: TriggerViewDocument }) {
  const { project, key, name, status, provenance, tests, limits } = view;
  const [isPausing, setPausing] = useState(false);
  const next = status === 'active' ? 'paused' : 'active';
  const id = `${project}/${key}`;
  return (
    <Section
      title="What it is"
      actions={
        <>
          <a href={hrefOf(['requests'], { trigger: id })}>Its requests</a>
          <a href={hrefOf(['runs'], { trigger: id })}>Its runs</a>
          <button type="button" onClick={() => setPausing(true)}>
            {status === 'active' ? 'Pause' : 'Resume'}
          </button>
        </>
      }
    >
      <Facts
        facts={[
          ['Name', <bdi key="name">{printable(name)}</bdi>],
          ['Status', <Badge key="status" word={status} />],
          [
            'Declared',
            <span key="at" class="mono">
              {printable(provenance)}
            </span>,
          ],
          [
            'Tests',
            tests === 0 ? (
              'none'
            ) : (
              <span key="tests">
                {plural(tests, 'test')}: <code>pullcord test --filter {key}</code>
              </span>
            ),
          ],
          [
            'Limits',
            limits.length === 0
              ? 'none of its own'
              : limits.map(({ id: limit, name: called }) => (
                  <div key={limit}>
                    <a href={hrefOf(['limits'], { text: called })}>{printable(called)}</a>
                  </div>
                )),
          ],
        ]}
      />
      {isPausing && (
        <PatchDialog
          title={status === 'active' ? 'Pause the trigger' : 'Resume the trigger'}
          {...{ project, trigger: key, change: { status: next }, close: () => setPausing(false) }}
        />
      )}
    </Section>
  );
}

function Stages({ view: { project, key, stages } }: { readonly view: TriggerViewDocument }) {
  return (
    <Section title="Stages">
      <Table
        label="Stages"
        rows={stages.map((stage, index) => ({ ...stage, index }))}
        keyOf={({ index }) => String(index)}
        columns={[
          { title: 'Stage', cell: ({ stage }) => stage },
          {
            title: 'Uses',
            cell: ({ uses, name, stage }) => (
              <>
                {printable(uses)}
                {name !== undefined && (
                  <div>
                    <bdi>{printable(name)}</bdi>
                  </div>
                )}
                {stage === 'filter' && uses === 'jsonata' && name !== undefined && (
                  <a href={hrefOf(['filters'], { trigger: `${project}/${key}`, filter: name })}>
                    Try another expression
                  </a>
                )}
              </>
            ),
          },
          { title: 'Options', cell: (stage) => options(stage) },
          {
            title: 'Declared',
            cell: ({ provenance, level }) => (
              <>
                <span class="mono">{printable(provenance)}</span>
                {level !== 'trigger' && <div class="muted">by the {level}</div>}
              </>
            ),
          },
        ]}
      />
    </Section>
  );
}

function options({ with: given }: TriggerStageDocument) {
  return Object.keys(given).length === 0 ? <span class="muted">none</span> : <Json value={given} />;
}
