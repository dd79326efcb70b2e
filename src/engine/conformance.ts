import { auditCases } from './conformance/auditing.ts';
import { busySessionCases } from './conformance/busy-sessions.ts';
import { cancelCases } from './conformance/cancelling.ts';
import { chargeCases } from './conformance/charging.ts';
import { claimCases } from './conformance/claiming.ts';
import { closeCases } from './conformance/closing.ts';
import { debounceCases } from './conformance/debouncing.ts';
import { executionCases } from './conformance/executing.ts';
import { followingCases } from './conformance/following.ts';
import type { ConformanceCase } from './conformance/harness.ts';
import { keepCases } from './conformance/keeping.ts';
import { limitCases } from './conformance/limiting.ts';
import { noteCases } from './conformance/noting.ts';
import { onceCases } from './conformance/once.ts';
import { readCases } from './conformance/reading.ts';
import { recordingCases } from './conformance/recording.ts';
import { reportCases } from './conformance/reporting.ts';
import { retryCases } from './conformance/retrying.ts';
import { sessionCases } from './conformance/sessions.ts';
import { useCases } from './conformance/using.ts';
import { waitCases } from './conformance/waiting.ts';

export type { ConformanceCase, ConformanceHarness, OpenEngine } from './conformance/harness.ts';

/**
 * The conformance kit: what every engine must do. Each case is a promise and the code that verifies it, for any test runner:
 * `for (const { name, run } of conformanceCases) test(name, () => run(open))`. A case rejects if the promise is broken.
 */
export const conformanceCases: readonly ConformanceCase[] = [
  ...claimCases,
  ...onceCases,
  ...useCases,
  ...chargeCases,
  ...debounceCases,
  ...executionCases,
  ...waitCases,
  ...cancelCases,
  ...reportCases,
  ...readCases,
  ...limitCases,
  ...retryCases,
  ...sessionCases,
  ...busySessionCases,
  ...followingCases,
  ...keepCases,
  ...recordingCases,
  ...auditCases,
  ...noteCases,
  ...closeCases,
];
