import { Fault, type FaultKind } from './target.ts';

/** An input whose outcome is not allowed. */
export interface Found {
  readonly kind: FaultKind;
  readonly message: string;
  readonly stack: string;
  /** The same for faults that are probably the same. */
  readonly signature: string;
  readonly input: Buffer;
}

/** The fault that an error means: any error that is no Fault is a crash. */
export function foundOf(error: unknown, input: Buffer): Found {
  const kind = error instanceof Fault ? error.kind : 'crash';
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  const [place = ''] = /^ +at .*$/m.exec(stack) ?? [];
  const cause = error instanceof Fault ? message.replaceAll(/\d+/g, 'N').slice(0, 80) : place.trim();
  return { kind, message: message.slice(0, 1000), stack, signature: `${kind}: ${cause}`, input: Buffer.from(input) };
}
