import type { PriceConfig, PricesConfig } from '../config/model.ts';
import { modelMatcher } from '../config/model-pattern.ts';
import type { RunUsage } from '../contract/index.ts';
import type { RunCost } from '../engine/types/index.ts';

/** How many names of models have their price remembered: agents may report any number of them. */
const maxRemembered = 1000;

/** Prices of one token of each kind, in trillionths of the currency. */
interface Price {
  readonly input: bigint;
  readonly cached: bigint;
  readonly output: bigint;
  readonly reasoning: bigint;
}

export interface Priced {
  readonly cost: RunCost;
  /** Whether the model is in the list; if not, the default price was counted. */
  readonly isKnown: boolean;
}

/** The prices of one revision of the config, compiled. */
export class Prices {
  readonly #currency: string;
  readonly #default: Price;
  readonly #models: readonly { readonly matches: (model: string) => boolean; readonly price: Price }[];
  /** Undefined for an unknown model. */
  readonly #remembered = new Map<string, Price | undefined>();

  constructor({ currency, default: ofUnknown, models }: PricesConfig) {
    this.#currency = currency;
    this.#default = priceOf(ofUnknown);
    this.#models = models.map(({ model, ...price }) => ({ matches: modelMatcher(model), price: priceOf(price) }));
  }

  /** Returns what usage has cost, rounded up to the next billionth. Usage must have been checked. */
  costOf(usage: RunUsage): Priced {
    const { inputTokens, outputTokens, model, cachedTokens = 0, reasoningTokens = 0 } = usage;
    const known = model === undefined ? undefined : this.#find(model);
    const price = known ?? this.#default;
    const trillionths =
      BigInt(inputTokens - cachedTokens) * price.input +
      BigInt(cachedTokens) * price.cached +
      BigInt(outputTokens - reasoningTokens) * price.output +
      BigInt(reasoningTokens) * price.reasoning;
    const nanos = Math.min(Number((trillionths + 999n) / 1000n), Number.MAX_SAFE_INTEGER);
    return { cost: { nanos, currency: this.#currency }, isKnown: known !== undefined };
  }

  #find(model: string): Price | undefined {
    if (this.#remembered.has(model)) return this.#remembered.get(model);
    const price = this.#models.find(({ matches }) => matches(model))?.price;
    if (this.#remembered.size < maxRemembered) this.#remembered.set(model, price);
    return price;
  }
}

/** With at most six decimals for a million tokens, the price of one token is a whole number of trillionths. */
function priceOf({ input, cached, output, reasoning }: PriceConfig): Price {
  const each = (price: number): bigint => BigInt(Math.round(price * 1e6));
  return { input: each(input), cached: each(cached), output: each(output), reasoning: each(reasoning) };
}
