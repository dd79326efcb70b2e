import {
  OptionsError,
  type OptionsProblem,
  type OutboundClient,
  type PluginContext,
} from '../../../src/contract/index.ts';
import { faultsOfHeaders } from '../header-options.ts';
import { targetUrl } from '../target-url.ts';
import { memberOf } from './member.ts';
import type { Options } from './options.gen.ts';

/** What the gateway itself says in a request. */
const reserved = {
  chat: ['model', 'messages', 'stream', 'stream_options'],
  responses: [
    ...['model', 'input', 'instructions', 'previous_response_id', 'conversation'],
    ...['stream', 'background'],
  ],
};

/** Refuses what the schema cannot. */
export function checkOptions(context: PluginContext, outbound: OutboundClient, options: Options): void {
  const problems = [
    ...faultsOfUrl(() => targetUrl(context, outbound, '/baseUrl', options.baseUrl)),
    ...faultsOfHeaders(options.headers),
    ...faultsOfParameters(options),
    ...faultsOfFormat(options),
  ];
  if (faultsOfHeaders({ authorization: `Bearer ${options.apiKey ?? ''}` }).length > 0) {
    problems.push({ pointer: '/apiKey', message: 'has characters that a header cannot carry' });
  }
  const hasAuthorization = Object.keys(options.headers).some((name) => name.toLowerCase() === 'authorization');
  if (options.apiKey !== undefined && hasAuthorization) {
    problems.push({ pointer: '/apiKey', message: 'is sent as the header authorization, which headers has too' });
  }
  if (options.background && options.api === 'chat') {
    problems.push({ pointer: '/background', message: 'needs api: responses' });
  }
  if (problems.length > 0) throw new OptionsError(problems);
  if (options.api === 'responses' && options.parameters.store === false) {
    const message = 'keeps the endpoint from remembering: it cannot go on with a sessionId, nor work in the background';
    context.report({ severity: 'warning', pointer: '/parameters/store', message });
  }
}

function faultsOfUrl(check: () => URL): readonly OptionsProblem[] {
  try {
    const url = check();
    return url.hash === '' ? [] : [{ pointer: '/baseUrl', message: 'must not have a fragment' }];
  } catch (error) {
    if (!OptionsError.is(error)) throw error;
    return error.problems;
  }
}

function faultsOfParameters({ api, parameters }: Options): OptionsProblem[] {
  const names = reserved[api].filter((name) => Object.hasOwn(parameters, name));
  return names.map((name) => ({ pointer: `/parameters/${name}`, message: 'is set by the gateway itself' }));
}

function faultsOfFormat({ api, format, schema, parameters }: Options): OptionsProblem[] {
  if (schema === undefined) return [];
  const pointer = '/schema';
  if (format !== 'json') return [{ pointer, message: 'needs format: json' }];
  const [place, own] =
    api === 'chat'
      ? ['response_format', memberOf(parameters, 'response_format')]
      : ['text.format', memberOf(parameters, 'text', 'format')];
  return own === undefined ? [] : [{ pointer, message: `says what ${place} of parameters says too` }];
}
