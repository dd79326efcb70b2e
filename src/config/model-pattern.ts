/**
 * Returns a function that says whether a pattern matches the whole name of a model, without regard to case. `*` stands for
 * any characters, also none. Its work is bounded by the product of both lengths: names come from agents.
 */
export function modelMatcher(pattern: string): (model: string) => boolean {
  const [start = '', ...rest] = pattern.toLowerCase().split('*');
  const end = rest.pop();
  if (end === undefined) return (model) => model.toLowerCase() === start;
  return (model) => {
    const name = model.toLowerCase();
    if (name.length < start.length + end.length || !name.startsWith(start) || !name.endsWith(end)) return false;
    // The leftmost place of each part leaves the most room for those after it.
    const last = name.length - end.length;
    let from = start.length;
    for (const part of rest) {
      const found = name.indexOf(part, from);
      if (found === -1 || found + part.length > last) return false;
      from = found + part.length;
    }
    return true;
  };
}
