import fc from 'fast-check';

const atom = fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '\\d', '\\w', 'A', '(a)', '(?:a|b)', '(ab|b)');
const piece = fc
  .tuple(atom, fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{0,3}', '*?', '+?'))
  .map((parts) => parts.join(''));
const pattern = fc
  .tuple(fc.constantFrom('', '^'), fc.array(piece, { minLength: 1, maxLength: 5 }), fc.constantFrom('', '$', 'x'))
  .map(([start, pieces, end]) => start + pieces.join('') + end);

/** Short ones of all sorts, some of which backtrack badly. */
export const regularExpressions = fc
  .tuple(pattern, fc.constantFrom('', 'i'))
  .map(([source, flags]) => new RegExp(source, flags));
