import type { JsonValue, NewRun, TriggerInput } from '../../contract/index.ts';
import { replaceAt } from '../../contract/replace-at.ts';

/** What stands in the place of a masked value. */
const masked = '***';

/** The run as it may be stored: values at the pointers of its policy masked. The same object if there are none. */
export function maskRun(run: NewRun): NewRun {
  const { mask } = run.policy;
  if (mask.length === 0) return run;
  const input = mask.reduce<JsonValue>((value, pointer) => replaceAt(value, pointer, () => masked), run.input);
  // Masking replaces values below the members of the input, and a masked member is a string as those checked are.
  return input === run.input ? run : { ...run, input: input as TriggerInput };
}
