/** Puts spaces before each line that has something on it: a block scalar in YAML. */
export function indent(text: string, spaces: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(spaces));
}
