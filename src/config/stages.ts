import type { Stage } from '../contract/index.ts';
import type { DiagnosticCode } from '../diagnostics/codes.ts';

/** Where else a stage of a trigger can be declared, apart from its own file. */
export type DefaultsLevel = 'project' | 'gateway';

/** What sets a stage apart from the others: the one table that schemas, linking, provisioning, review and docs read. */
export interface StageDescriptor {
  /** The method that an instance of its plugins must have. */
  readonly method: string;
  /** A trigger may use several plugins, in order. Absent: one. */
  readonly many?: {
    /** `first`: the first that does not abstain decides. `all`: every one must pass. */
    readonly decides: 'first' | 'all';
    readonly atLeast: number;
    readonly atMost: number;
  };
  /** Each use has a name, unique in the trigger: `filter 1`, `filter 2` … unless given. Absent: none has one. */
  readonly named?: { readonly duplicateCode: DiagnosticCode };
  /** Where a trigger without this stage takes it from, nearest first. */
  readonly inheritsFrom: readonly DefaultsLevel[];
  /** The gateway's default. */
  readonly default?: { readonly uses: string; readonly with?: object };
  /** The stage is required: what is reported if a trigger has none. Absent: optional. */
  readonly missing?: { readonly code: DiagnosticCode; readonly message: string };
  /** What a string in place of an object is: the plugin's name, or one option of a plugin. Absent: no short form. */
  readonly short?: 'name' | { readonly uses: string; readonly option: string };
}

const everyLevel = ['project', 'gateway'] as const;

/** The stages of the pipeline, in order. */
export const stageDescriptors = {
  auth: {
    method: 'authenticate',
    many: { decides: 'first', atLeast: 1, atMost: 8 },
    inheritsFrom: everyLevel,
    default: { uses: 'api-key' },
  },
  filter: {
    method: 'evaluate',
    many: { decides: 'all', atLeast: 0, atMost: 100 },
    named: { duplicateCode: 'duplicate_filter_name' },
    inheritsFrom: everyLevel,
    short: { uses: 'jsonata', option: 'expression' },
  },
  dedup: {
    method: 'fingerprint',
    inheritsFrom: everyLevel,
    short: 'name',
  },
  run: {
    method: 'execute',
    inheritsFrom: everyLevel,
    missing: { code: 'missing_run', message: 'the trigger does not say what to run' },
  },
  respond: {
    method: 'respond',
    inheritsFrom: everyLevel,
    default: { uses: 'wait', with: { timeout: '60s' } },
  },
} as const satisfies Readonly<Record<Stage, StageDescriptor>>;

/** The same table, each row with all optional members. */
export function descriptorOf(stage: Stage): StageDescriptor {
  return stageDescriptors[stage];
}

/** Fields of a trigger that are not stages, and that it takes from the same defaults, each as a whole. */
export const inheritedSettings = ['body', 'record', 'sessions', 'callback', 'cors', 'debounce'] as const;
export type InheritedSetting = (typeof inheritedSettings)[number];
