import { namesCredential } from '../contract/credential-names.ts';

/**
 * A text without what URLs in it hold before their `@`, and without the values of parameters and settings that are named
 * like credentials: `?token=…`, `--password=…`.
 * @param hide gives what stands there instead
 */
export function withoutCredentials(text: string, hide: (secret: string) => string): string {
  return text
    .replace(/(?<=\/\/)[^/?#\s"'@]+(?=@)/g, hide)
    .replace(/(?<![\w-])([\w-]+)=([^&#\s"']+)/g, (whole, name, value) =>
      namesCredential(name) ? `${name}=${hide(value)}` : whole,
    );
}
