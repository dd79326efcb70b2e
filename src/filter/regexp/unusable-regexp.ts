/** A regular expression that cannot be matched in linear time, or that is too large. */
export class UnusableRegExp extends Error {}
