/** Fields whose value is an expression. */
const expressionFields: ReadonlySet<unknown> = new Set(['filter', 'expression']);
/** Further fields that may hold one, or other text. */
const textFields: ReadonlySet<unknown> = new Set(['output', 'request', 'input', 'result', 'session', 'key', 'prompt']);
/** The longest value that a hint repeats. */
const longest = 80;

/** Whether the value of a field is an expression. */
export function isExpressionField(name: unknown): boolean {
  return expressionFields.has(name);
}

/**
 * How to write the value of a field that is an expression, if the fault at an offset is in one: YAML reads its quotes,
 * brackets and signs as its own.
 */
export function expressionHint(text: string, offset: number): string | undefined {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', start);
  const line = text.slice(start, end === -1 ? undefined : end);
  const fields = [...line.matchAll(/(?:^\s*(?:- +)*|[{,]\s*)([A-Za-z]+): +/g)];
  const field = fields.findLast(({ index, 0: all }) => index + all.length <= offset - start);
  const [all, name] = field ?? [];
  if (field === undefined || all === undefined) return undefined;
  if (textFields.has(name)) return quoteText;
  if (!isExpressionField(name)) return undefined;
  const isFlow = /[{,]/.test(all);
  const value = line.slice(field.index + all.length).trimEnd();
  const written = isFlow ? value.replace(/(?: \}|\}$).*$/, '') : value;
  // A block scalar has its indicator on the line, and the rest of a long value does not help.
  if (/^[|>]/.test(written)) return `Write the expression on the lines after ${name}: |, indented.`;
  const example = `${name}: ${quoted(written.length > longest ? 'a = "b"' : written)}`;
  const block = isFlow ? '' : `, or on the lines after ${name}: |, indented`;
  return `Put the expression in single quotes, ${example}${block}.`;
}

const quoteText = "Put the value in single quotes: 'text', or on lines of its own after |, indented.";

function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
