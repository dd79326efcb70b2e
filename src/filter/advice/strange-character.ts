import type { ExpressionProblem } from '../expression-error.ts';

const curly = /[\u2018-\u201f\u00ab\u00bb\u2032\u2033]/;
/** Blanks and joiners that cannot be seen, and are part of a name for JSONata. */
const invisible = /[\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]/;
/** What looks like an operator. */
const lookalikes: Readonly<Record<string, string | undefined>> = {
  ...{
    '≠': '!=',
    '≤': '<=',
    '≥': '>=',
    '×': '*',
    '÷': '/',
    '−': '-',
    '–': '-',
    '—': '-',
    '＝': '=',
    '＜': '<',
    '＞': '>',
  },
  ...{ '∧': 'and', '∨': 'or', '¬': '$not(…)', '，': ',', '．': '.', '（': '(', '）': ')', '∈': 'in' },
};

/** The first character of a name that was hardly meant to be part of it. */
export function strangeCharacter(text: string): ExpressionProblem | undefined {
  for (const [offset, character] of [...text].entries()) {
    if (curly.test(character)) {
      const message = `${character} is a typographic quote, which JSONata reads as part of a name`;
      return { message, hint: 'Write straight quotes: "text" or \'text\'.', offset };
    }
    if (invisible.test(character)) {
      const code = `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
      const message = `an invisible character (${code}) is read as part of a name`;
      return { message, hint: 'Replace it with a plain space, or delete it.', offset };
    }
    const operator = Object.hasOwn(lookalikes, character) ? lookalikes[character] : undefined;
    if (operator !== undefined) {
      const message = `${character} is no operator: JSONata reads it as part of a name`;
      return { message, hint: `Write ${operator}.`, offset };
    }
  }
  return undefined;
}
