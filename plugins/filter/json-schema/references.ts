import type { AnySchema, AnySchemaObject } from 'ajv';
import { isObject } from './vocabulary.ts';

/** Resolves a reference against a base (RFC 3986). */
export type Resolve = (base: string, reference: string) => string;

export type Draft = 'draft-07' | '2020-12';

/** The parts of a schema, by what references name them: a pointer, an anchor, an `$id`. */
export class References {
  readonly draft: Draft;
  readonly #resolve: Resolve;
  readonly #byUri = new Map<string, object>();
  readonly #bases = new Map<object, string>();
  readonly #pointers = new Map<object, string>();

  constructor(schema: AnySchema, draft: Draft, resolve: Resolve) {
    this.draft = draft;
    this.#resolve = resolve;
    this.#byUri.set('', Object(schema));
    this.#collect(schema, '', '');
  }

  pointerOf(part: object): string {
    return this.#pointers.get(part) ?? '';
  }

  /** The subschema that a `$ref` in `from` names. Undefined if it is not within this schema. */
  resolve(from: object, reference: string): AnySchema | undefined {
    const uri = this.#resolve(this.#bases.get(from) ?? '', reference);
    const [document = '', fragment = ''] = uri.split('#');
    const named = this.#byUri.get(withoutEmptyFragment(uri));
    if (named !== undefined) return named;
    const root = this.#byUri.get(document);
    return root !== undefined && fragment.startsWith('/') ? this.#at(root, fragment) : undefined;
  }

  #at(root: object, fragment: string): AnySchema | undefined {
    let value: unknown = root;
    for (const step of fragment.slice(1).split('/')) {
      const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
      value = (value as Record<string, unknown>)[name];
    }
    return typeof value === 'boolean' || isObject(value) ? (value as AnySchema) : undefined;
  }

  #collect(value: unknown, base: string, pointer: string): void {
    if (typeof value !== 'object' || value === null || this.#pointers.has(value)) return;
    const within = isObject(value) ? this.#register(value, base) : base;
    this.#bases.set(value, within);
    this.#pointers.set(value, pointer);
    for (const [name, member] of Object.entries(value)) {
      this.#collect(member, within, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
    }
  }

  /** Returns the base of the references within. */
  #register(value: AnySchemaObject, base: string): string {
    const { $id, $anchor, $dynamicAnchor } = value;
    let within = base;
    if (typeof $id === 'string') {
      const uri = this.#resolve(base, $id);
      this.#byUri.set(withoutEmptyFragment(uri), value);
      if (!$id.startsWith('#')) within = uri.split('#')[0] ?? '';
    }
    for (const anchor of [$anchor, $dynamicAnchor]) {
      if (typeof anchor === 'string') this.#byUri.set(`${within}#${anchor}`, value);
    }
    return within;
  }
}

function withoutEmptyFragment(uri: string): string {
  return uri.replace(/#$/, '');
}
