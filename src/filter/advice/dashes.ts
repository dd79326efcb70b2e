import type { ExpressionProblem } from '../expression-error.ts';
import type { Node } from '../node.ts';
import type { BindingShape } from './binding-shape.ts';

/** Names with a dash, as they stand in the source. */
export interface DashedName {
  readonly name: string;
  readonly offset: number;
}

const dashed = /(?<![\w$`\u0080-\uffff-])[A-Za-z_]\w*(?:-\w+)+(?![`\u0080-\uffff-])/y;

/** Names with a dash that JSONata reads as subtractions: `x-github-event` is `x - github - event`. */
export function dashedNames(source: string, nodes: readonly Node[]): ReadonlyMap<number, DashedName> {
  const found = new Map<number, DashedName>();
  for (const { type, value, position, rhs } of nodes) {
    if (type !== 'binary' || value !== '-' || position === undefined || !isName(rhs)) continue;
    const start = source.slice(0, position - 1).search(/[\w-]+$/);
    if (start < 0) continue;
    dashed.lastIndex = start;
    const [name] = dashed.exec(source) ?? [];
    if (name !== undefined && start + name.length > position) found.set(start, { name, offset: start });
  }
  return found;
}

/**
 * A dashed name as a problem. It may be a header, a member of the body, or a subtraction after all.
 * @param headers those that an expression can read
 */
export function dashProblem(
  source: string,
  { name, offset }: DashedName,
  headers: BindingShape | undefined,
): ExpressionProblem {
  const message = `${name} is a subtraction: ${name.split('-').join(' minus ')}`;
  const [prefix] = /[\w$.\s]*$/.exec(source.slice(0, offset)) ?? [''];
  const path = prefix.trim();
  const listed = headers?.members ?? {};
  const lowered = name.toLowerCase();
  const mayBeHeader = Object.hasOwn(listed, lowered) || usualHeaders.test(name);
  if (!/^\$request\.headers?\.$/.test(path) && (path.endsWith('.') || !mayBeHeader)) {
    const written = path.endsWith('.') ? `${path}\`${name}\`` : `\`${name}\``;
    return {
      message,
      hint: `If it is one name, write ${written} in backticks; to subtract, put spaces around -.`,
      offset,
    };
  }
  const unlisted = Object.hasOwn(listed, lowered) ? '' : ` ${headers?.hint?.(lowered) ?? ''}`.trimEnd();
  const hint = `Write $request.headers.\`${lowered}\`, in backticks.${unlisted}`;
  const ofBody = path === '' ? ` For a member of the body, write \`${name}\`.` : '';
  return { message, hint: `${hint}${ofBody}`, offset };
}

const usualHeaders =
  /^(?:x-|sec-|cf-|svix-|webhook-|stripe-|user-agent$|content-|accept-|if-|idempotency-|linear-|paypal-|twilio-)/i;

function isName(node: Node | undefined): boolean {
  return node?.type === 'path' && node.steps?.[0]?.type === 'name';
}
