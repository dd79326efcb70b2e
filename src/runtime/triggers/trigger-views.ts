import type { StageUse, TriggerConfig } from '../../config/model.ts';
import { sameKey } from '../../config/trigger-key.ts';
import { nameOf, usesOf } from '../../config/uses-of.ts';
import { namesCredential } from '../../contract/credential-names.ts';
import { type JsonValue, stages } from '../../contract/index.ts';
import { withoutCredentials } from '../../diagnostics/credentials.ts';
import type { Snapshot } from '../snapshot.ts';
import type { TriggerStageDocument, TriggersDocument, TriggerViewDocument } from './triggers-document.gen.ts';

type Served = Pick<Snapshot, 'config' | 'lineOf'>;

/** Which triggers are listed. */
export interface TriggerFilter {
  /** A part of `project/key` or of the name, in any case. */
  readonly text: string;
  readonly limit: number;
  /** `project/key` of the last one of the page before. */
  readonly after: string;
}

/** The triggers of the config that serves, by project and key. */
export function listTriggers({ config, lineOf }: Served, { text, limit, after }: TriggerFilter): TriggersDocument {
  const wanted = text.toLowerCase();
  const found = config.triggers
    .map((trigger) => ({ trigger, id: `${trigger.project.id}/${trigger.key}` }))
    .filter(({ trigger, id }) => id > after && `${id} ${trigger.name}`.toLowerCase().includes(wanted))
    .sort((one, other) => (one.id < other.id ? -1 : 1));
  const page = found.slice(0, limit);
  return {
    triggers: page.map(({ trigger }) => viewOf(trigger, lineOf)),
    next: found.length > limit ? (page.at(-1)?.id ?? null) : null,
  };
}

export function findTrigger({ config }: Served, project: string, key: string): TriggerConfig | undefined {
  return config.triggers.find((trigger) => trigger.project.id === project && sameKey(trigger.key, key));
}

/** A trigger as it serves, with the lines that its parts come from. */
export function viewOf(trigger: TriggerConfig, lineOf: Served['lineOf']): TriggerViewDocument {
  const { project, key, name, status, tests, limits, place } = trigger;
  return {
    ...{ project: project.id, key, name, status, provenance: lineOf(place), tests: tests.length },
    limits: [...project.limits, ...limits].map(({ id, name: limit, place: at }) => ({
      id,
      name: limit,
      provenance: lineOf(at),
    })),
    stages: stages.flatMap((stage) =>
      usesOf(trigger, stage).map((use) => ({
        stage,
        ...stageOf(use),
        provenance: lineOf(use.place),
        level: levelOf(use, trigger),
      })),
    ),
  };
}

function stageOf(use: StageUse): Pick<TriggerStageDocument, 'uses' | 'name' | 'with'> {
  const name = nameOf(use);
  return {
    uses: use.uses,
    ...(name !== '' && { name }),
    with: withoutSecrets(use.with) as TriggerStageDocument['with'],
  };
}

/** What a text holds of credentials, such as a parameter of a URL, is in the file, and not for every reader of the admin API. */
function withoutSecrets(value: JsonValue): JsonValue {
  if (typeof value === 'string') return withoutCredentials(value, () => '***');
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const isSecret = typeof member === 'string' && namesCredential(name);
      return [name, isSecret ? '***' : withoutSecrets(member ?? null)];
    }),
  );
}

function levelOf({ place }: StageUse, trigger: TriggerConfig): TriggerStageDocument['level'] {
  if (place.file === trigger.place.file && !place.pointer.startsWith('/defaults')) return 'trigger';
  return place.file === trigger.project.place.file ? 'project' : 'gateway';
}
