import { computed, signal } from '@preact/signals';
import { ApiError, getJson } from './client.ts';
import { keepToken, token } from './token.ts';

export interface Identity {
  /** Of the token, or `loopback` where none is required. */
  readonly id: string;
  readonly role: 'read' | 'operate';
}

export type Session =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'signed_in'; readonly identity: Identity }
  /** @param wasRefused whether a token was given that is not valid */
  | { readonly kind: 'signed_out'; readonly wasRefused: boolean }
  | { readonly kind: 'failed'; readonly message: string };

export const session = signal<Session>({ kind: 'unknown' });

/** Whether whoever is signed in may change anything. The server decides all the same. */
export const mayOperate = computed(
  () => session.value.kind === 'signed_in' && session.value.identity.role === 'operate',
);

/** Finds out who this is, with the token that is kept or without one. */
export async function identify(): Promise<void> {
  try {
    session.value = { kind: 'signed_in', identity: await getJson<Identity>('/whoami') };
  } catch (error) {
    if (error instanceof ApiError && error.code === 'unauthorized') {
      session.value = { kind: 'signed_out', wasRefused: token.value !== undefined };
      keepToken(undefined);
    } else session.value = { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

export async function signIn(given: string): Promise<void> {
  keepToken(given);
  await identify();
}

export function signOut(): void {
  keepToken(undefined);
  session.value = { kind: 'signed_out', wasRefused: false };
}

/** A token may expire or be removed while the page is open. */
export function signedOutBy(error: unknown): boolean {
  if (!(error instanceof ApiError) || error.code !== 'unauthorized') return false;
  keepToken(undefined);
  session.value = { kind: 'signed_out', wasRefused: true };
  return true;
}
