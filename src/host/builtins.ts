import apiKey from '../../plugins/auth/api-key/index.ts';
import none from '../../plugins/auth/none/index.ts';
import body from '../../plugins/dedup/body/index.ts';
import idempotencyKey from '../../plugins/dedup/idempotency-key/index.ts';
import jsonSchema from '../../plugins/filter/json-schema/index.ts';
import jsonata from '../../plugins/filter/jsonata/index.ts';
import accepted from '../../plugins/respond/accepted/index.ts';
import wait from '../../plugins/respond/wait/index.ts';
import command from '../../plugins/run/command/index.ts';
import echo from '../../plugins/run/echo/index.ts';
import http from '../../plugins/run/http/index.ts';
import type { Plugin } from '../contract/index.ts';
import { Registry } from './registry.ts';

/** The plugins that come with the gateway, in the order of the stages. The one place that names them. */
export const builtinPlugins: readonly Plugin[] = [
  apiKey,
  none,
  jsonata,
  jsonSchema,
  body,
  idempotencyKey,
  echo,
  http,
  command,
  wait,
  accepted,
];

/** A registry of the built-in plugins. */
export function builtinRegistry(): Registry {
  return new Registry(builtinPlugins);
}
