import { realpath } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { readRegularFile } from '../../config/files/read-regular-file.ts';

export interface SiteFolders {
  /** Without symbolic links. */
  readonly root: string;
  /** Contains `chat/` and `client/`, built. */
  readonly modules: string;
}

export type SiteFile =
  | { readonly kind: 'file'; readonly bytes: Buffer; readonly type: string }
  | { readonly kind: 'missing' }
  /** A module of the chat, whose package was not built. */
  | { readonly kind: 'not_built'; readonly path: string };

const missing: SiteFile = { kind: 'missing' };

const largestFileBytes = 32 * 1024 * 1024;

/** Files of other types are not served: with `nosniff` no browser would use them. */
const types: Readonly<Record<string, string>> = {
  '.avif': 'image/avif',
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mp4': 'video/mp4',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webm': 'video/webm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.xml': 'application/xml',
};

/**
 * Reads the file that the target of a request names: `/` and what ends in it means `index.html`. Hidden files, and files
 * that a symbolic link outside of the folder leads to, are missing.
 * @param target as in the request line: percent-encoded, maybe with a query
 */
export async function readSiteFile({ root, modules }: SiteFolders, target: string): Promise<SiteFile> {
  const segments = segmentsOf(target);
  if (segments === undefined) return missing;
  const [first, folder = '', name = '', ...more] = segments;
  if (first === 'pullcord') {
    if (more.length > 0 || !/^(?:chat|client)$/.test(folder) || !/^[a-z0-9-]+\.js$/.test(name)) return missing;
    const file = await read(join(modules, folder, name), name);
    // With the module that imports all others, another one that is missing does not exist in any build.
    return file.kind === 'missing' && name === 'index.js' ? { kind: 'not_built', path: target } : file;
  }
  const path = await realpath(join(root, ...segments)).catch(() => undefined);
  if (path === undefined) return missing;
  const inside = relative(root, path).split(sep);
  return inside.some(isHidden) ? missing : read(path, path);
}

/** Returns undefined for a target that no file has: it is never made to fit. */
function segmentsOf(target: string): readonly string[] | undefined {
  const [path = ''] = target.split(/[?#]/, 1);
  if (!path.startsWith('/')) return undefined;
  const segments = path.slice(1).split('/').map(decoded);
  if (segments.at(-1) === '') segments[segments.length - 1] = 'index.html';
  return segments.every((segment) => segment !== undefined && !isHidden(segment)) ? (segments as string[]) : undefined;
}

/** Encoded or not, a separator inside of a segment would lead elsewhere. */
function decoded(segment: string): string | undefined {
  try {
    const name = decodeURIComponent(segment);
    return /[/\\\0]/.test(name) ? undefined : name;
  } catch {
    return undefined;
  }
}

/** Also `..`, as in a path that leads out of the folder, and the empty name. */
function isHidden(name: string): boolean {
  return name === '' || name.startsWith('.');
}

async function read(path: string, name: string): Promise<SiteFile> {
  const type = types[extname(name).toLowerCase()];
  if (type === undefined) return missing;
  const reading = await readRegularFile(path, largestFileBytes);
  return reading.kind === 'read' ? { kind: 'file', bytes: reading.bytes, type } : missing;
}
