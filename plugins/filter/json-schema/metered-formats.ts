import type { Ajv, Format } from 'ajv';
import formats from 'ajv-formats';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import type { WorkMeter } from './work-meter.ts';

/** Units of work to check a text of `length` characters. */
type Price = (length: number) => number;

const linear: Price = (length) => 1 + length / 4;

/** Formats that take more than some passes over the text: a split into parts, or quadratic or cubic time at worst. */
const prices: ReadonlyMap<string, Price> = new Map([
  ['date-time', (length) => 1 + length * 2],
  ['iso-date-time', (length) => 1 + length * 2],
  ['regex', (length) => 20 + length + length ** 2 / 64],
  ['url', (length) => 1 + length + length ** 3 / 64],
]);

/** Adds the formats of ajv-formats, and its keywords such as `formatMinimum`. Each check is paid for before it is made. */
export function addMeteredFormats(ajv: Ajv, meter: WorkMeter): void {
  formats.default(ajv);
  for (const [name, format] of Object.entries(fullFormats)) {
    const metered = meteredFormat(format, prices.get(name) ?? linear, meter);
    if (metered !== undefined) ajv.addFormat(name, metered);
  }
}

type Check = (text: string) => boolean;

/** Undefined for a format that costs nothing: of numbers, or an annotation. */
function meteredFormat(format: Format, price: Price, meter: WorkMeter): Format | undefined {
  if (typeof format !== 'object' && typeof format !== 'function') return undefined;
  if (format instanceof RegExp) return metered((text) => format.test(text));
  if (typeof format === 'function') return metered(format as Check);
  const { validate, compare } = format;
  if (format.type === 'number' || format.async === true || validate instanceof RegExp) return undefined;
  if (typeof validate !== 'function') return undefined;
  const checked = metered(validate as Check);
  if (compare === undefined) return checked;
  const compared = compare as (a: string, b: string) => number | undefined;
  return {
    validate: checked,
    compare(a: string, b: string) {
      meter.spend(price(a.length));
      return compared(a, b);
    },
  };

  function metered(validates: Check): Check {
    return (text) => {
      meter.spend(price(text.length));
      return validates(text);
    };
  }
}
