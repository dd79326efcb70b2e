import type { Config } from '../../../config/model.ts';
import { triggerName } from '../../../config/trigger-key.ts';
import { oneLine } from '../../words.ts';
import type { Behaviour, Widening, Witness } from '../plan.ts';
import { widening } from './widening.ts';

/**
 * Filters that let a request pass which they dropped before, as a given or an invented one shows.
 * @param declared warnings that the declarations alone give, which need not be repeated
 */
export function widenedFilters(
  { triggers }: Config,
  declared: readonly Widening[],
  behaviour: Behaviour | undefined,
  witnesses: readonly Witness[],
): readonly Widening[] {
  const shown = [
    ...(behaviour?.groups ?? []).filter(({ opens }) => opens),
    ...witnesses.filter(({ found }) => found?.opens),
  ];
  const opened = new Set(shown.map(({ trigger, filter }) => `${trigger}\n${filter}`));
  return triggers.flatMap((config) => {
    const trigger = triggerName(config);
    return config.filter
      .filter(({ name }) => opened.has(`${trigger}\n${name}`))
      .filter(({ place }) => !declared.some((one) => one.code === 'filter_always_passes' && one.place === place))
      .map(({ name, place }) => {
        const words = `filter "${oneLine(name)}" of trigger ${trigger} lets requests pass that it dropped before`;
        return { ...widening('filter_widened', words, place), trigger };
      });
  });
}
