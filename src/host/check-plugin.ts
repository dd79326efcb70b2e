import { stageDescriptors } from '../config/stages.ts';
import { type Plugin, stages } from '../contract/index.ts';

const namePattern = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Says why a module's export is not a plugin of contract v1, or undefined if it is one. */
export function faultOfPlugin(candidate: unknown): string | undefined {
  if (typeof candidate !== 'object' || candidate === null) return 'it does not export a plugin object as default';
  const plugin = candidate as Partial<Record<keyof Plugin, unknown>>;
  if (plugin.contract !== 'v1') return "its `contract` is not 'v1', the version that this gateway supports";
  if (!stages.some((stage) => stage === plugin.stage)) return `its \`stage\` is not one of ${stages.join(', ')}`;
  if (typeof plugin.name !== 'string' || !namePattern.test(plugin.name)) {
    return 'its `name` may only have lower case letters, digits and dashes';
  }
  if (typeof plugin.summary !== 'string' || plugin.summary === '') return 'its `summary` is missing';
  if (typeof plugin.optionsSchema !== 'object' || plugin.optionsSchema === null)
    return 'its `optionsSchema` is missing';
  if (typeof plugin.create !== 'function') return 'its `create` is not a function';
  return undefined;
}

/** Says why the value that `create` returned cannot serve its stage, or undefined if it can. */
export function faultOfInstance(stage: Plugin['stage'], instance: unknown): string | undefined {
  const method = stageDescriptors[stage].method;
  const fits =
    typeof instance === 'object' &&
    instance !== null &&
    method in instance &&
    typeof Reflect.get(instance, method) === 'function';
  return fits ? undefined : `\`create()\` returned an object without a \`${method}\` method`;
}
