import { parse } from 'yaml';

/** A name in YAML: `123`, `true`, `-` or `---x` would be something else without quotes. */
export function configScalar(name: string): string {
  return /^[A-Za-z_]/.test(name) && parse(name) === name ? name : JSON.stringify(name);
}
