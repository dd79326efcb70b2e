/**
 * JSONata's $boolean, applied to what an evaluation gives: a value, a sequence, a function, or undefined, which is not
 * true either. Throws a RangeError for an infinite number, which is an error in JSONata too.
 */
export function isTruthy(value: unknown): boolean {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      return value !== '';
    case 'number':
      if (value === Infinity || value === -Infinity) throw new RangeError('Number out of range');
      return value !== 0 && !Number.isNaN(value);
    case 'object':
      if (value === null) return false;
      return Array.isArray(value) ? value.some(isTruthy) : !isFunction(value) && Object.keys(value).length > 0;
    default:
      return false;
  }
}

/** JSONata's own functions are objects with a mark. */
function isFunction(value: object): boolean {
  return (
    ('_jsonata_function' in value && value._jsonata_function === true) ||
    ('_jsonata_lambda' in value && value._jsonata_lambda === true)
  );
}
