import type { EngineMemory, Reservation } from '../types/index.ts';

const unmetered: Reservation = { bytes: 0, moveTo() {}, share() {}, resize: () => true, correct() {}, release() {} };

/** For an engine without a gateway, such as that of a command. */
export const unmeteredMemory: EngineMemory = {
  reserve: () => unmetered,
  charge: () => unmetered,
  room: () => unmetered,
  isCrowded: false,
  measure: () => 0,
};
