export type JsonPrimitive = string | number | boolean | null;
export type JsonValue = JsonPrimitive | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** A value, or a promise of it. Callers await only what is a promise, so that a plugin that need not wait costs no turn. */
export type MaybePromise<T> = T | Promise<T>;
