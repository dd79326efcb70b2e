import { hash } from 'node:crypto';
import { type DedupPlugin, OptionsError, type WorkBudget } from '../../../src/contract/index.ts';
import { scopedKey } from '../scope.ts';
import { canonicalForm, canonicalParts, canonicalRest } from './canonical-form.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { compilePointers } from './pointer-tree.ts';

export default {
  contract: 'v1',
  stage: 'dedup',
  name: 'body',
  summary: 'Two requests are the same if their bodies are; the order of members and white space do not count.',
  optionsSchema: schema,
  create(_context, options) {
    const canonicalize = canonicalizer(options);
    const { window: windowMs, keepOnFailure, scope } = options;
    return {
      fingerprint(exchange) {
        const { bodyText, bodyJson = bodyText, work } = exchange;
        if (!bodyText || !bodyJson) return undefined;
        const canonical = canonicalize(bodyJson, work);
        if (canonical === undefined) return undefined;
        const digest = hash('sha256', canonical, 'hex');
        return { key: scopedKey(digest, scope, exchange), windowMs, keepOnFailure };
      },
    };
  },
} satisfies DedupPlugin<Options>;

function canonicalizer({ include, ignore }: Options): (text: string, work: WorkBudget) => string | undefined {
  if (include && ignore) {
    const message = 'include and ignore exclude each other';
    const hint = 'Use include to list the members that count, or ignore to list those that do not.';
    throw new OptionsError([{ pointer: '/ignore', message, hint }]);
  }
  if (include) {
    const tree = compilePointers('/include', include);
    return (text, work) => canonicalParts(text, work, tree);
  }
  if (ignore) {
    const tree = compilePointers('/ignore', ignore);
    return (text, work) => canonicalRest(text, work, tree);
  }
  return canonicalForm;
}
