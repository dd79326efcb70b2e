import type { EngineCopying } from '../../copy/copied-rows.ts';

/** How schemas are copied. An address is the URL of a database. The driver is loaded when one is opened. */
export const copying: EngineCopying = {
  hasSchema: true,
  async openSource(address, options) {
    const { openSource } = await import('./source.ts');
    return openSource(address, options);
  },
  async openTarget(address, options) {
    const { openTarget } = await import('./target.ts');
    return openTarget(address, options);
  },
};
