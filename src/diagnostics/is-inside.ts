import { isAbsolute, relative, sep } from 'node:path';

/** Whether a path is a folder itself or below it. A name may begin with two dots: `..x` is inside. */
export function isInside(folder: string, path: string): boolean {
  const place = relative(folder, path);
  // On another drive, there is no relative path.
  return place !== '..' && !place.startsWith(`..${sep}`) && !isAbsolute(place);
}
