import fc from 'fast-check';
import { Scalar } from 'yaml';

/** Every way to write a string in YAML. */
export const styles = [
  Scalar.PLAIN,
  Scalar.QUOTE_SINGLE,
  Scalar.QUOTE_DOUBLE,
  Scalar.BLOCK_LITERAL,
  Scalar.BLOCK_FOLDED,
] as const;

/** Texts like JSONata, with what YAML has to quote, escape and fold. */
export const expressions = fc
  .array(
    fc.tuple(
      fc.oneof(
        {
          weight: 8,
          arbitrary: fc.constantFrom('customer', '.plan', '=', 'and', 'in', '$f', '(x)', 'é', '🙂', "it's"),
        },
        { weight: 4, arbitrary: fc.constantFrom('"pro"', '[', '{', '# ', ': ', '- ', '/a\\/b/', '\\n', '|', '>', '&') },
        { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }) },
      ),
      fc.oneof(
        { weight: 8, arbitrary: fc.constant(' ') },
        { weight: 1, arbitrary: fc.constantFrom('', '  ', '\t', '\n', '\n\n', ' \n  ', '\n \n', '\n\t') },
      ),
    ),
    { minLength: 1, maxLength: 30 },
  )
  .map((parts) => parts.flat().join(''));

/** Documents with a string at /a/k, folded and escaped as people, and not the `yaml` package, might write it. */
export const handwritten = fc
  .tuple(
    fc.array(
      fc.tuple(
        fc.constantFrom('customer', '=', 'and', 'x-y', '$f(x)', 'é', '🙂', "a'b", 'a"b', '\\w'),
        fc.constantFrom('', '\\x', '\\u', '\\U'),
        fc.constantFrom(' ', '  ', '\t', '\n      ', ' \n      ', '\n\n      ', '\n   \n\n       '),
      ),
      { minLength: 2, maxLength: 20 },
    ),
    fc.constantFrom('plain', 'single', 'double', '>', '>-', '>2', '|', '|+', '| # note'),
    fc.boolean(),
  )
  .map(([parts, style, isContinued]) => {
    const text = (word: (name: string, kind: string) => string, fold = (gap: string) => gap): string =>
      parts.map(([name, kind, gap], index) => (index === 0 ? '' : fold(gap)) + word(name, kind)).join('');
    const doubled = (gap: string): string => (isContinued && gap.startsWith('\n') ? `\\${gap}` : gap);
    switch (style) {
      case 'plain':
        return `a:\n    k: ${text((name) => name)}\n`;
      case 'single':
        return `a:\n    k: '${text((name) => name.replaceAll("'", "''"))}'\n`;
      case 'double':
        return `a:\n    k: "${text(escaped, doubled)}"\n`;
      default:
        return `a:\n    k: ${style}\n      ${text((name) => name)}\n\n`;
    }
  });

function escaped(word: string, kind: string): string {
  const hex = (character: string): string => (character.codePointAt(0) ?? 0).toString(16);
  const digits = { '\\x': 2, '\\u': 4, '\\U': 8 }[kind] ?? 0;
  return [...word]
    .map((one) => {
      if (hex(one).length <= digits) return `${kind}${hex(one).padStart(digits, '0')}`;
      return one === '"' || one === '\\' ? `\\${one}` : one;
    })
    .join('');
}
