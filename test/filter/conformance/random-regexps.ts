import fc from 'fast-check';

/** A regular expression, and a text made of what it may match. */
export interface RegExpPair {
  readonly regexp: RegExp;
  readonly text: string;
}

/** Where engines disagree: case folding, white space, line ends, borders of classes, halves of surrogate pairs. */
const notable = [
  ...'aAbzZkKsS019_- .\n\r\t\v\f\0iIßẞſıİéÉσςΣµÅåǅǆøΩω',
  ...['\u212a', '\u2126', '\u00a0', '\u180e', '\u200b', '\u2028', '\u2029', '\u3000', '\ufeff', '\u1e9e', '\u0345'],
  ...['\ud83d', '\ude00', '\ud801', '\udc00', '😀', '𐐀', '𐐨', '\uffff'],
];
const unit = fc.integer({ min: 0, max: 0xff_ff }).map((code) => String.fromCharCode(code));
const astral = fc.integer({ min: 0x1_00_00, max: 0x10_ff_ff }).map((code) => String.fromCodePoint(code));
const letter = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...notable) },
  { weight: 2, arbitrary: unit },
  { weight: 1, arbitrary: astral },
);

/** Written once the letters are known, so that pattern and text share them. */
type Template = (letters: readonly string[]) => string;

const index = fc.nat({ max: 5 });
const at = (letters: readonly string[], which: number): string => letters[which % letters.length] ?? '';
const constant = (...texts: readonly string[]): fc.Arbitrary<Template> =>
  fc.constantFrom(...texts).map((text) => () => text);

const escapes: readonly ((code: number) => string)[] = [
  (code) => `\\u${code.toString(16).padStart(4, '0')}`,
  (code) => (code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : String.fromCharCode(code)),
  (code) =>
    code > 0 && code < 27 ? `\\c${String.fromCharCode(code + 64)}` : `\\u${code.toString(16).padStart(4, '0')}`,
];

function literal(text: string, way: number): string {
  const write = escapes[way];
  if (write !== undefined)
    return Array.from({ length: text.length }, (_, each) => write(text.charCodeAt(each))).join('');
  return text
    .replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
}

const character = fc.tuple(index, fc.nat({ max: 5 })).map(
  ([which, way]): Template =>
    (letters) =>
      literal(at(letters, which), way),
);
const single = fc.tuple(index, fc.nat({ max: 5 })).map(
  ([which, way]): Template =>
    (letters) =>
      literal(at(letters, which).slice(0, 1), way),
);
const classes = ['.', '\\s', '\\S', '\\w', '\\W', '\\d', '\\D', '[^]', '[]', '\\p{L}', '\\0', '\\cJ', '\\v', '[\\b]'];
const members: fc.Arbitrary<Template> = fc.oneof(
  { weight: 3, arbitrary: single },
  { weight: 1, arbitrary: constant('\\s', '\\w', '\\d', '\\S', '\\W', '\\D', 'a-z', 'A-Z', '0-9', '\\-', '\\cA') },
  {
    weight: 1,
    arbitrary: fc.tuple(index, index).map(
      ([one, other]): Template =>
        (letters) => {
          const [low = '', high = ''] = [at(letters, one).slice(0, 1), at(letters, other).slice(-1)].sort();
          return `${literal(low, 0)}-${literal(high, 0)}`;
        },
    ),
  },
);
const characterClass = fc.tuple(fc.constantFrom('', '', '^'), fc.array(members, { minLength: 1, maxLength: 3 })).map(
  ([negation, parts]): Template =>
    (letters) =>
      `[${negation}${parts.map((part) => part(letters)).join('')}]`,
);

const quantifiers = ['', '', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{0,2}', '{1,3}?', '{2,}', '{0,}?', '{0}'];

const { pattern } = fc.letrec<{ pattern: Template; sequence: Template; piece: Template; atom: Template }>((tie) => ({
  atom: fc.oneof(
    // Groups nest no deeper, since backtracking over nested repetitions would take RegExp hours.
    { maxDepth: 2, withCrossShrink: true },
    { weight: 8, arbitrary: character },
    { weight: 3, arbitrary: constant(...classes) },
    { weight: 2, arbitrary: characterClass },
    {
      weight: 5,
      arbitrary: fc.tuple(fc.constantFrom('(', '(', '(?:', '(?<NAME>'), tie('pattern')).map(
        ([open, inner]): Template =>
          (letters) =>
            `${open}${inner(letters)})`,
      ),
    },
  ),
  piece: fc.oneof(
    {
      weight: 8,
      arbitrary: fc.tuple(tie('atom'), fc.constantFrom(...quantifiers)).map(
        ([inner, quantifier]): Template =>
          (letters) =>
            inner(letters) + quantifier,
      ),
    },
    { weight: 1, arbitrary: constant('^', '$', '\\b', '\\B') },
  ),
  sequence: fc.array(tie('piece'), { maxLength: 3 }).map(
    (pieces): Template =>
      (letters) =>
        pieces.map((piece) => piece(letters)).join(''),
  ),
  pattern: fc.array(tie('sequence'), { minLength: 1, maxLength: 2 }).map(
    (alternatives): Template =>
      (letters) =>
        alternatives.map((each) => each(letters)).join('|'),
  ),
}));

const change = fc.constantFrom<(text: string) => string>(
  (text) => text,
  (text) => text,
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase(),
  (text) => text.slice(0, 1),
  (text) => text.slice(-1),
);
const textTemplate = fc
  .array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.tuple(index, change).map(
          ([which, by]): Template =>
            (letters) =>
              by(at(letters, which)),
        ),
      },
      {
        weight: 1,
        arbitrary: letter.map(
          (text): Template =>
            () =>
              text,
        ),
      },
    ),
    { maxLength: 8 },
  )
  .map(
    (parts): Template =>
      (letters) =>
        parts.map((part) => part(letters)).join(''),
  );

/** Without modifiers as in `(?i:…)`, which V8 loses when it merges alternatives: `/(?i:x|[a])/` does not match `A`. */
export const regExpPairs: fc.Arbitrary<RegExpPair> = fc
  .tuple(
    fc.array(letter, { minLength: 1, maxLength: 4 }),
    pattern,
    textTemplate,
    fc.constantFrom('', '', 'i', 'm', 'im'),
  )
  .map(([letters, source, text, flags]) => {
    let groups = 0;
    const named = source(letters).replaceAll('<NAME>', () => `<n${++groups}>`);
    return { regexp: new RegExp(named, `g${flags}`), text: text(letters) };
  });
