import { conformanceCases } from '../../src/engine/conformance.ts';

/** The cases of the conformance kit of engines, or those whose name the environment variable ONLY matches. */
export function selectedCases({ ONLY } = process.env): typeof conformanceCases {
  return ONLY === undefined ? conformanceCases : conformanceCases.filter(({ name }) => new RegExp(ONLY).test(name));
}
