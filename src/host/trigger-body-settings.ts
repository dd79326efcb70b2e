import type { BodyConfig, BodyKind, StageUse } from '../config/model.ts';
import type { AuthReview, SenderBody } from '../contract/index.ts';
import type { AuthReviews } from './auth-reviews.ts';
import type { SessionExpression } from './session-expression.ts';

/** How a trigger reads the bodies of its requests. */
export interface BodySettings {
  readonly fields: 'checked' | 'free';
  readonly accept: readonly BodyKind[];
  readonly limitBytes: number;
  /** Names of the members of a form that hold JSON. */
  readonly jsonFields: readonly string[];
  /** Where the sessionId stands; undefined: in the member `sessionId` of checked ones, and else nowhere. */
  readonly session: SessionExpression | undefined;
}

/** What the config says, else what all auth plugins of the trigger say, else the default. */
export function bodySettings(
  { fields, accept, limitBytes, jsonFields }: BodyConfig,
  auth: readonly StageUse[],
  reviews: AuthReviews,
  session: SessionExpression | undefined,
): BodySettings {
  const said = auth.map((use) => senderBodyOf(reviews.get(use)));
  return Object.freeze({
    fields: fields ?? agreed(said.map((one) => one.fields)) ?? 'checked',
    accept: accept ?? agreed(said.map((one) => one.accept)) ?? defaultAccept,
    limitBytes,
    jsonFields: jsonFields ?? agreed(said.map(({ form }) => form && [form.json].flat())) ?? [],
    session,
  });
}

const defaultAccept: readonly BodyKind[] = Object.freeze(['json'] as const);

/** A sender that says nothing does not agree. */
function agreed<Value>(values: readonly (Value | undefined)[]): Value | undefined {
  const [first] = values;
  return values.every((one) => JSON.stringify(one) === JSON.stringify(first)) ? first : undefined;
}

const kinds: readonly unknown[] = ['json', 'form', 'text'];

/** What a plugin, which may be anybody's, says of bodies, as far as it is sound. */
function senderBodyOf(review: AuthReview | undefined): SenderBody {
  const { fields, accept, form } = review?.body ?? nothing;
  const isSoundList = Array.isArray(accept) && accept.length > 0 && accept.every((kind) => kinds.includes(kind));
  return {
    ...((fields === 'free' || fields === 'checked') && { fields }),
    ...(isSoundList && { accept }),
    ...(form?.json !== undefined && { form }),
  };
}

const nothing: SenderBody = {};
