import { isDeepStrictEqual } from 'node:util';
import { canonicalForm, canonicalParts, canonicalRest } from '../../../plugins/dedup/body/canonical-form.ts';
import { compilePointers } from '../../../plugins/dedup/body/pointer-tree.ts';
import type { JsonObject } from '../../../src/contract/index.ts';
import { describeBody } from '../../../src/http/steps/request-body.ts';
import { parseExactly } from '../../../src/runtime/body/exact-json.ts';
import { noBody, parseTriggerBody } from '../../../src/runtime/body/trigger-body.ts';
import { withoutNulls } from '../../../src/runtime/body/without-nulls.ts';
import { parseLexically } from '../../../src/runtime/recording/lexical-json.ts';
import { maskBody } from '../../../src/runtime/recording/mask-body.ts';
import { partsOf } from '../engine/mutate.ts';
import { type Outcome, promised, type Target } from '../engine/target.ts';
import { CountedBudget } from './counted-budget.ts';

export const bodySeeds = [
  ...['{}', '{"instruction":"refund order 7"}', '{"a":[1,2.50,-3e2,null,true,{"b":"é\\u00e9\\n"}]}'],
  '{"sessionId":"s-1","environment":"api","language":"de","timezone":"Europe/Berlin","context":{"a":{"b":[]}},"customer":{"plan":"pro"}}',
  ...[
    '{"a":1,"a":2}',
    '{"__proto__":1}',
    '{"a":1e999}',
    '{"a":9007199254740993}',
    '\ufeff{}',
    '[]',
    'null',
    '',
    '{"a":"\\ud800"}',
  ],
];

/** JSON that two readers could understand differently is refused; what is accepted is read as it was written. */
export const requestBody: Target = {
  name: 'request-body',
  weight: 500,
  shape: 'text and json',
  words: [
    ...[
      'application/json',
      'application/vnd.github+json',
      'text/plain',
      '; charset=utf-8',
      '; charset="UTF-8"',
      'utf-16',
    ],
    ...['gzip', 'identity', 'multipart/form-data; boundary=x', 'application/', '+json'],
  ],
  seeds: () => bodySeeds.map((body) => `application/json\n\n${body}`),
  open: () => ({
    run(input) {
      const [head, bytes] = partsOf(input);
      const [type, encoding] = head.toString('latin1').split('\n');
      const headers = { ...(type && { 'content-type': type }), ...(encoding && { 'content-encoding': encoding }) };
      const described = describeBody(headers, ['json']);
      if (described.kind === 'unsupported') return { kind: 'refused', code: `unsupported ${described.why}` };
      if (described.codings.length > 0) return { kind: 'value', code: 'encoded' };
      const rules = { fields: 'checked', jsonFields: [] } as const;
      const body = bytes.length === 0 ? noBody : parseTriggerBody(bytes, described.type, rules, () => true);
      promised(body.kind !== 'no_room', 'a body is parsed if there is room');
      if (body.kind === 'refused') return { kind: 'refused', code: refusalOf(body) };
      const { text, members } = body;
      if (text === undefined) return { kind: 'value', code: 'no body' };
      promised(text === bytes.toString().replace(/^\ufeff/, ''), 'the text of a body is that of its bytes');
      const written = withoutNulls(parseExactly(text) as JsonObject, text);
      promised(isDeepStrictEqual(members, written), 'the members of a body are those of its text');
      promised(depthOf(members) <= 64, 'no body is nested deeper than 64 levels');
      return { kind: 'value', code: 'body', size: bytes.length };
    },
  }),
};

function refusalOf({ code, members = {} }: { readonly code: string; readonly members?: object }): string {
  const { detail = '' } = members as { readonly detail?: unknown };
  promised(typeof detail === 'string' && detail.length < 500, 'a refusal is short: it repeats no body');
  return `${code} ${detail.replaceAll(/\d+|["“`'].*["”`']/g, 'N').slice(0, 60)}`;
}

const pointers = ['/a', '/b/c', '/a/0', '/~0~1', '/customer/plan', '/context', '/'];
const tree = compilePointers('/include', pointers);

/** Dedup, recording and replay work on the text of a body. None of them changes what it says. */
export const bodyText: Target = {
  name: 'body-text',
  weight: 200,
  shape: 'json',
  words: [
    '"a":',
    '"b":{"c":1}',
    '"customer":{"plan":"pro"}',
    '"context":',
    ' \n',
    '\\u0061',
    '\\ud83d\\ude00',
    '-0.0',
    '1E+2',
    '"\\\\":',
    '"\\n":',
  ],
  seeds: () => [...bodySeeds, '{"b":{"c":[1]},"a":[0,"x"],"~/":2,"":3}', ' { "a" : [ ] , "b" : { } } '],
  open: () => ({
    run(input) {
      const body = parseTriggerBody(input);
      if (body.kind === 'refused' || body.text === undefined) return { kind: 'refused', code: 'body' };
      return checkedText(body.text, body.members);
    },
  }),
};

function checkedText(text: string, members: object): Outcome {
  const budget = new CountedBudget();
  // What a body pays differs with the form that it is written in: only its own is a limit.
  const form = canonicalForm(text, budget);
  const formOf = (other: string) => canonicalForm(other, new CountedBudget());
  promised(formOf(form) === form, 'the canonical form of a canonical form is the same');
  promised(form.length <= 6 * text.length, 'a canonical form is at most six times as long');
  const rest = canonicalRest(text, new CountedBudget(), tree);
  promised(rest.length <= form.length, 'what is left without some members is no longer than all');
  const parts = canonicalParts(text, new CountedBudget(), tree);
  promised(
    parts === undefined || parts === canonicalParts(form, new CountedBudget(), tree),
    'parts do not depend on how a body is written',
  );
  const { text: written = '', masked } = maskBody(text, pointers);
  const again = parseTriggerBody(Buffer.from(written));
  // What a mask replaces may have made the text ill-formed.
  promised(again.kind === 'read', 'a masked body is still accepted');
  promised(maskBody(written, pointers).text === written, 'masking a masked body changes nothing');
  const lexical = JSON.stringify(parseLexically(text));
  promised(formOf(lexical) === form, 'a body that is written again has the same canonical form');
  promised(isDeepStrictEqual(parseExactly(form), members), 'the canonical form is JSON of the same value');
  return {
    kind: 'value',
    code: `${masked.length} masked, ${parts === undefined ? 'no parts' : 'parts'}`,
    size: text.length,
    work: budget.work,
  };
}

/** Levels of objects and arrays. */
export function depthOf(value: unknown): number {
  let level: readonly unknown[] = [value];
  let depth = -1;
  for (; level.length > 0; depth += 1) {
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item).concat([0]) : []));
  }
  return depth;
}
