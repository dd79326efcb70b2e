import type { Config, PriceConfig } from '../../config/model.ts';
import { compareValue } from './compare-uses.ts';
import type { StructureDetail } from './plan.ts';

/** What changes in the prices: one detail for each model, and one if patterns that both sides have are in another order. */
export function priceDetails(before: Config, after: Config): readonly StructureDetail[] {
  const [old, now] = [before.prices, after.prices];
  const place = now?.place ?? after.server.place;
  const [oldModels, models] = [byModel(old?.models), byModel(now?.models)];
  const names = [...new Set([...oldModels.keys(), ...models.keys()])].sort();
  const shared = (one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>) =>
    [...one.keys()].filter((name) => other.has(name));
  return [
    ...compareValue('prices currency', old?.currency, now?.currency, place),
    ...compareValue('price of unknown models', old?.default, now?.default, place, showPrice),
    ...names.flatMap((name) =>
      compareValue(`price of ${name}`, oldModels.get(name), models.get(name), place, showPrice),
    ),
    ...compareValue('prices order', shared(oldModels, models), shared(models, oldModels), place),
  ];
}

/** Of equal patterns the first counts. */
function byModel(models: readonly (PriceConfig & { readonly model: string })[] = []): ReadonlyMap<string, PriceConfig> {
  const prices = new Map<string, PriceConfig>();
  for (const { model, ...price } of models) {
    const name = model.toLowerCase();
    if (!prices.has(name)) prices.set(name, price);
  }
  return prices;
}

function showPrice(price: unknown): string | undefined {
  if (price === undefined) return undefined;
  const { input, cached, output, reasoning } = price as PriceConfig;
  return [
    `input ${input}`,
    ...(cached === input ? [] : [`cached ${cached}`]),
    `output ${output}`,
    ...(reasoning === output ? [] : [`reasoning ${reasoning}`]),
  ].join(', ');
}
