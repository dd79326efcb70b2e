import type { DiagnosticCode } from '../../../diagnostics/codes.ts';
import type { Place } from '../../../diagnostics/problem.ts';
import type { Widening } from '../plan.ts';

/** Something that opens what was closed. */
export function widening(code: DiagnosticCode, message: string, place: Place): Widening {
  return { code, message, place, widens: true };
}

/** Something that a reviewer should look at, although it lets nobody and nothing else in. */
export function notice(code: DiagnosticCode, message: string, place: Place): Widening {
  return { code, message, place, widens: false };
}

/** Makes widenings at pointers of one file. */
export function warner({ file }: Place): (code: DiagnosticCode, message: string, pointer: string) => Widening {
  return (code, message, pointer) => widening(code, message, { file, pointer });
}
