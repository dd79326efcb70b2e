import type { Evaluation } from '../evaluation.ts';

/**
 * Sorts as the reference does, with the same comparisons in the same order, which matters for comparators that throw or
 * are inconsistent. `isGreater` returns whether its first argument sorts after its second.
 */
export function mergeSort<Item>(
  run: Evaluation,
  items: readonly Item[],
  isGreater: (left: Item, right: Item) => boolean,
): Item[] {
  run.spendSequence(items.length);
  if (items.length <= 1) return [...items];
  const middle = Math.floor(items.length / 2);
  const left = mergeSort(run, items.slice(0, middle), isGreater);
  const right = mergeSort(run, items.slice(middle), isGreater);
  const merged: Item[] = [];
  let fromLeft = 0;
  let fromRight = 0;
  while (fromLeft < left.length && fromRight < right.length) {
    if (isGreater(left[fromLeft] as Item, right[fromRight] as Item)) {
      merged.push(right[fromRight] as Item);
      fromRight += 1;
    } else {
      merged.push(left[fromLeft] as Item);
      fromLeft += 1;
    }
  }
  while (fromLeft < left.length) merged.push(left[fromLeft++] as Item);
  while (fromRight < right.length) merged.push(right[fromRight++] as Item);
  return merged;
}
