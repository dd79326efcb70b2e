import type { OutboundTarget } from '../../schema/outbound-target.ts';

/** A target of `outbound.allow` as it is written in YAML. */
export function describeTarget(target: OutboundTarget): string {
  if (target.kind === 'network') return `${target.address}/${target.prefixLength}`;
  return `${target.host}${target.port === undefined ? '' : `:${target.port}`}`;
}
