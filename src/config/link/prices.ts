import type { Problem } from '../../diagnostics/problem.ts';
import type { DefaultPriceDocument, PricesDocument } from '../documents.gen.ts';
import type { PriceConfig, PricesConfig } from '../model.ts';
import { modelMatcher } from '../model-pattern.ts';
import type { DocumentSet, InFile } from './document-set.ts';
import { duplicates } from './duplicates.ts';

/** A config folder has at most one Prices, and each of its patterns can match. */
export function pricesProblems(documents: DocumentSet): readonly Problem[] {
  const claims = documents.prices.map(({ file }) => ({ identity: 'prices', place: { file, pointer: '/kind' } }));
  const hint = 'One folder has one list of prices: keep one of the files.';
  return [
    ...duplicates(claims, documents, { code: 'duplicate_prices', what: 'a list of prices', hint }),
    ...documents.prices.flatMap((prices) => unreachablePrices(prices, documents)),
  ];
}

/** Warns about patterns all of whose models an earlier one matches. */
function unreachablePrices({ file, document: { models } }: InFile<PricesDocument>, documents: DocumentSet): Problem[] {
  const placeOf = (index: number) => ({ file, pointer: `/models/${index}/model` });
  const matchers = models.map(({ model }) => modelMatcher(model));
  return models.flatMap(({ model }, index): Problem[] => {
    // Nothing but a `*` of the earlier pattern matches the `*` of this one, so it matches whatever this one does.
    const earlier = matchers.findIndex((matches, other) => other >= index || matches(model));
    if (earlier >= index) return [];
    const message = `this price is never used: the pattern at ${documents.describe(placeOf(earlier))} matches all of its models`;
    const hint = 'The first pattern that matches counts: move the narrower one up, or remove it.';
    return [{ code: 'unreachable_price', severity: 'warning', message, hint, place: placeOf(index) }];
  });
}

export function pricesConfig({ file, document }: InFile<PricesDocument>): PricesConfig {
  return {
    currency: document.currency,
    default: priceConfig(document.default),
    models: document.models.map(({ model, ...price }) => ({ model, ...priceConfig(price) })),
    place: { file, pointer: '/kind' },
  };
}

function priceConfig({ input, output, cached = input, reasoning = output }: DefaultPriceDocument): PriceConfig {
  return { input, cached, output, reasoning };
}
