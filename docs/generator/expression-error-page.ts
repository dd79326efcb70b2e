import { errorWords } from '../../src/filter/index.ts';
import { page, table } from './markdown.ts';

/** The codes of JSONata, by when they are raised. */
export function expressionErrorPage(): string {
  const rows = (words: Readonly<Record<string, string>>) =>
    table(
      ['Code', 'Meaning'],
      Object.entries(words).map(([code, meaning]) => [`\`${code}\``, asSentence(meaning)]),
    );
  return page(
    'src/filter/error-words.ts',
    '# Error codes of expressions',
    'JSONata has a code for each error. `validate`, `test` and `explain` print its meaning, and the line and column where that is known; the log has the code, its meaning and the position in the expression, and so has the failure of a run whose mapping fails. None of them repeats a value of the body.',
    '## While an expression is evaluated',
    'For a filter, the caller gets 400 `filter_error`, or the request passes if the filter has `onError: pass`. Where a request may have another type than the expression expects, check it first: `$type(amount) = "number" and amount > 10`.',
    rows(errorWords.evaluation),
    '## When an expression is loaded',
    'These are problems of the config. Most messages have a hint that shows how JSONata writes what was meant.',
    rows(errorWords.syntax),
  );
}

function asSentence(text: string): string {
  const sentence = `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}`;
  return sentence.endsWith('.') ? sentence : `${sentence}.`;
}
