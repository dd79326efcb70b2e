import type { stageDescriptors } from '../config/stages.ts';
import type { Plugin, Stage } from '../contract/index.ts';

/** What `create` of a plugin returns, by stage. */
export type StageInstances = {
  readonly [S in Stage]: Awaited<ReturnType<Extract<Plugin, { readonly stage: S }>['create']>>;
};

/** A plugin instance under the name of its use. */
export interface NamedInstance<Instance> {
  readonly name: string;
  readonly instance: Instance;
}

/** What a trigger has of each stage: a list where all must pass, one where one decides. */
export type ProvisionedStages = { readonly [S in Stage]: Provisioned<S> };

type Descriptors = typeof stageDescriptors;

type Provisioned<S extends Stage> = Descriptors[S] extends { readonly many: { readonly decides: 'all' } }
  ? readonly NamedInstance<StageInstances[S]>[]
  : Descriptors[S] extends { readonly missing: object } | { readonly default: object }
    ? StageInstances[S]
    : StageInstances[S] | undefined;
