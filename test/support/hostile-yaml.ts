/** The size at which a file is refused unread. */
const mostBytes = 256 * 1024;

function repeat(piece: string, bytes = mostBytes): string {
  return piece.repeat(Math.floor(bytes / Buffer.byteLength(piece)));
}

function lines(bytes: number, line: (index: number) => string): string {
  let text = '';
  for (let index = 0; text.length < bytes - 1_000; index++) text += line(index);
  return text;
}

/** Texts that are made to hurt a parser, and the code of the problem that each is refused with. Unguarded, some take 25 seconds, or the process. */
export const hostileYaml: readonly [name: string, text: string, code: string | undefined][] = [
  ['3,000 lists in one line', '['.repeat(3_000), 'yaml_too_deep'],
  ['3,000 maps in one line', '{a: '.repeat(3_000), 'yaml_too_deep'],
  ['3,000 block lists in one line', '- '.repeat(3_000), 'yaml_too_deep'],
  ['3,000 keys in one line', 'a: '.repeat(3_000), 'yaml_too_deep'],
  ['700 maps by indentation', lines(mostBytes, (index) => `${' '.repeat(index)}a:\n`), 'yaml_too_deep'],
  ['700 lists by indentation', lines(mostBytes, (index) => `${' '.repeat(index)}-\n`), 'yaml_too_deep'],
  ['500 explicit keys', '? '.repeat(500), 'unsupported_yaml'],
  ['500 explicit keys in a list', `[${'? '.repeat(500)}]`, 'unsupported_yaml'],
  ['256 KiB of keys', lines(mostBytes, (index) => `k${index}: 1\n`), 'yaml_too_long'],
  ['as many keys as there may be', lines(60_000, (index) => `k${index}: 1\n`), undefined],
  ['an alias bomb', 'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n', 'unsupported_yaml'],
  ['closing brackets', repeat(']'), 'yaml_too_long'],
  ['as many closing brackets as there may be', repeat(']', 49_000), 'yaml_syntax'],
  ['empty lists', repeat('[]', 49_000), 'yaml_syntax'],
  ['single quotes', repeat("'\n", 80_000), 'yaml_syntax'],
  ['double quotes', `a: ${repeat('"\n', 40_000)}`, 'yaml_syntax'],
  ['comments', repeat('#\n', 49_000), 'empty_file'],
  ['indented comments', `a:\n${repeat(' #\n', 49_000)}`, undefined],
  ['empty lines', repeat('\n', 49_000), 'empty_file'],
  ['commas', `[${repeat(',', 49_000)}`, 'yaml_syntax'],
  ['one long scalar', repeat('a'), undefined],
  ['one long block scalar', `a: |\n${repeat(' b\n', mostBytes - 10)}`, undefined],
  ['documents', repeat('---\n'), 'multiple_documents'],
  ['a file that is too large', ' '.repeat(mostBytes + 1), 'file_too_large'],
];
