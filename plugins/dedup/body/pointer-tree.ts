import { OptionsError, type OptionsProblem, pointerSegments } from '../../../src/contract/index.ts';

/** JSON pointers (RFC 6901) as a tree, so that one scan of a body finds all of them without comparing paths. */
export interface PointerNode {
  /** By the canonical JSON string of a member's name, or of an array index. */
  readonly children: ReadonlyMap<string, PointerNode>;
  /** The canonical JSON string of the pointer that ends here, if one does. */
  readonly pointer: string | undefined;
}

interface GrowingNode extends PointerNode {
  readonly children: Map<string, GrowingNode>;
  pointer: string | undefined;
}

/** Compiles the pointers of the option at `optionPointer`; throws an OptionsError that lists every invalid one. */
export function compilePointers(optionPointer: string, pointers: readonly string[]): PointerNode {
  const root = createNode();
  const problems: OptionsProblem[] = [];
  for (const [index, pointer] of pointers.entries()) {
    const fault = findFault(pointer);
    if (fault) problems.push({ pointer: `${optionPointer}/${index}`, ...fault });
    else insert(root, pointer);
  }
  if (problems.length > 0) throw new OptionsError(problems);
  return root;
}

type Fault = Pick<OptionsProblem, 'message' | 'hint' | 'offset'>;

function findFault(pointer: string): Fault | undefined {
  if (pointer === '') return { message: 'points at the whole body', hint: 'Name a member, e.g. /customer/id.' };
  if (!pointer.startsWith('/')) {
    return { message: 'is not a JSON pointer: it must start with a slash', hint: `Write /${pointer}`, offset: 0 };
  }
  const offset = pointer.search(/~(?![01])/);
  if (offset < 0) return undefined;
  return {
    message: 'is not a JSON pointer: ~ must be followed by 0 or 1',
    hint: 'Write ~0 for a tilde and ~1 for a slash in a name.',
    offset,
  };
}

function insert(root: GrowingNode, pointer: string): void {
  let node = root;
  for (const segment of pointerSegments(pointer)) {
    const name = JSON.stringify(segment);
    let child = node.children.get(name);
    if (!child) {
      child = createNode();
      node.children.set(name, child);
    }
    node = child;
  }
  node.pointer = JSON.stringify(pointer);
}

function createNode(): GrowingNode {
  return { children: new Map(), pointer: undefined };
}
