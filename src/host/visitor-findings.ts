import type { TriggerConfig } from '../config/model.ts';
import type { Auth } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { partsOf } from './auth-list.ts';

/** What a trigger lacks whose auth lets visitors earn tokens: the secrets that sign these, and pages that may ask for them. */
export function visitorFindings(config: TriggerConfig, auth: Auth, hasTokens: boolean): readonly Problem[] {
  const index = partsOf(auth).findIndex(({ visitors }) => visitors !== undefined);
  const use = config.auth[index];
  if (use === undefined) return [];
  return [
    ...(hasTokens ? [] : [withoutSecrets(use)]),
    ...(config.cors === undefined ? [withoutPages(config, use)] : []),
  ];
}

type Use = TriggerConfig['auth'][number];

function withoutSecrets({ uses, place }: Use): Problem {
  const message = `auth \`${uses}\` issues tokens, and gateway.yaml has no secrets that sign them`;
  const hint = 'Add `tokens: { secrets: [{ env: NAME }] }` to gateway.yaml.';
  return { code: 'tokens_not_configured', severity: 'error', message, hint, place };
}

function withoutPages({ place }: TriggerConfig, { uses }: Use): Problem {
  const message = `no visitor can fire this trigger: auth \`${uses}\` serves the pages that \`cors\` lists, and there is no \`cors\``;
  const hint = 'Add `cors: { origins: [https://www.example.com] }` with the origins of your pages.';
  return { code: 'visitors_without_pages', severity: 'warning', message, hint, place };
}
