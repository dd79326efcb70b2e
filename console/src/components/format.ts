const units = [
  { ms: 86_400_000, unit: 'd' },
  { ms: 3_600_000, unit: 'h' },
  { ms: 60_000, unit: 'min' },
] as const;

/** A duration with its unit: `340 ms`, `4.2 s`, `2 min 5 s`, `3 d 4 h`. @param ms milliseconds */
export function durationText(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))} s`;
  const index = units.findIndex((one) => ms >= one.ms);
  const first = units[index];
  if (first === undefined) return `${ms} ms`;
  const next = units[index + 1] ?? { ms: 1000, unit: 's' };
  const whole = Math.floor(ms / first.ms);
  const rest = Math.floor((ms % first.ms) / next.ms);
  return rest === 0 ? `${whole} ${first.unit}` : `${whole} ${first.unit} ${rest} ${next.unit}`;
}

/** A count: `1,234`, `12.3k`, `4.5M`. */
export function countText(count: number): string {
  if (Math.abs(count) < 10_000) return count.toLocaleString('en-US', { maximumFractionDigits: 2 });
  return count.toLocaleString('en-US', { notation: 'compact', maximumFractionDigits: 1 });
}

/** A share as percentage. @param share from 0 to 1 */
export function shareText(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

/** A size: `340 B`, `1.2 KiB`. @param bytes how many */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

/** An amount of money: `USD 0.0125`. */
export function moneyText({ amount, currency }: { readonly amount: number; readonly currency: string }): string {
  return `${currency} ${amountText(amount)}`;
}

/** An amount of money, without its currency. */
export function amountText(amount: number): string {
  return amount.toLocaleString('en-US', { maximumFractionDigits: 6 });
}

export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${countText(count)} ${count === 1 ? noun : many}`;
}

/** The first part of a long identifier, such as the hash of a revision. */
export function shortId(id: string, length = 8): string {
  return id.slice(0, length);
}
