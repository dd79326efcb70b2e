import type { Auth, AuthResult, AuthVerdict, MaybePromise, RequestHead } from '../contract/index.ts';

/** Combines the auth plugins of a trigger: the first that does not abstain decides. */
export class AuthList implements Auth {
  readonly parts: readonly Auth[];
  /** Those of the first plugin that lets visitors earn tokens. */
  readonly visitors: Auth['visitors'];

  constructor(parts: readonly Auth[]) {
    this.parts = parts;
    this.visitors = parts.find(({ visitors }) => visitors !== undefined)?.visitors;
  }

  authenticate(request: RequestHead): MaybePromise<AuthResult> {
    return this.#ask(0, request);
  }

  #ask(first: number, request: RequestHead): MaybePromise<AuthResult> {
    for (let index = first; index < this.parts.length; index += 1) {
      const result = (this.parts[index] as Auth).authenticate(request);
      if (result instanceof Promise) return result.then((settled) => this.#goOn(settled, index, request));
      if (result.kind !== 'abstained') return this.#goOn(result, index, request);
    }
    return abstained;
  }

  /** Asks the following plugins if the result is an abstention, now or once the body has been verified. */
  #goOn(result: AuthResult, index: number, request: RequestHead): MaybePromise<AuthResult> {
    if (result.kind === 'abstained') return this.#ask(index + 1, request);
    if (result.kind !== 'needs_body') return result;
    return {
      kind: 'needs_body',
      verify: async (body, members): Promise<AuthVerdict> => {
        const verdict = await result.verify(body, members);
        if (verdict.kind !== 'abstained') return verdict;
        const next = await this.#ask(index + 1, request);
        return next.kind === 'needs_body' ? next.verify(body, members) : next;
      },
    };
  }
}

const abstained: AuthVerdict = Object.freeze({ kind: 'abstained' });

/** The plugins of an auth stage, in the order in which they are asked. */
export function partsOf(auth: Auth): readonly Auth[] {
  return auth instanceof AuthList ? auth.parts : [auth];
}
