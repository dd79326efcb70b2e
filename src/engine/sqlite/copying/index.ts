import type { EngineCopying } from '../../copy/copied-rows.ts';

/** How journals are copied. An address is the path of a journal. */
export const copying: EngineCopying = {
  hasSchema: false,
  async openSource(address) {
    const { openSource } = await import('./source.ts');
    return openSource(address);
  },
  async openTarget(address) {
    const { openTarget } = await import('./target.ts');
    return openTarget(address);
  },
};
