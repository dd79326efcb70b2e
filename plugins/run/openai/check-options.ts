import { type JsonObject, OptionsError, type OptionsProblem, type PluginContext } from '../../../src/contract/index.ts';
import { optionProblems } from '../../../src/run-kit/index.ts';
import { memberOf } from './member.ts';
import type { Options } from './options.gen.ts';

/** Members of a request that the gateway sets. */
const reserved = {
  chat: ['model', 'messages', 'stream', 'stream_options'],
  responses: [
    ...['model', 'input', 'instructions', 'previous_response_id', 'conversation'],
    ...['stream', 'background'],
  ],
};

/** Where a request has the format of the answer. */
const formatAt = { chat: ['response_format'], responses: ['text', 'format'] };

/** Refuses what the schema cannot express. Throws an OptionsError. */
export function checkOptions(context: PluginContext, options: Options): void {
  const { apiKey, headers, baseUrl } = options;
  const problems = [
    ...optionProblems({ urls: { '/baseUrl': baseUrl }, headers, secrets: { '/apiKey': apiKey } }),
    ...problemsOfParameters(options),
    ...problemsOfFormat(options),
  ];
  if (baseUrl.includes('#')) problems.push({ pointer: '/baseUrl', message: 'must not have a fragment' });
  const hasAuthorization = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  if (apiKey !== undefined && hasAuthorization) {
    problems.push({ pointer: '/apiKey', message: 'is sent as the header authorization, which `headers` also sets' });
  }
  if (options.background && options.api === 'chat') {
    problems.push({ pointer: '/background', message: 'needs api: responses' });
  }
  if (problems.length > 0) throw new OptionsError(problems);
  if (options.api === 'responses' && options.parameters.store === false) {
    const message = 'stops the endpoint from keeping responses, which conversations and background work need';
    context.report({ severity: 'warning', pointer: '/parameters/store', message });
  }
}

function problemsOfParameters({ api, parameters }: Options): OptionsProblem[] {
  const names = reserved[api].filter((name) => Object.hasOwn(parameters, name));
  return names.map((name) => ({ pointer: `/parameters/${name}`, message: 'is set by the gateway itself' }));
}

function problemsOfFormat({ api, format, schema, parameters }: Options): OptionsProblem[] {
  if (schema === undefined) return [];
  const pointer = '/schema';
  if (format !== 'json') return [{ pointer, message: 'needs format: json' }];
  const isGiven = memberOf(parameters as JsonObject, ...formatAt[api]) !== undefined;
  return isGiven ? [{ pointer, message: `contradicts ${formatAt[api].join('.')} in parameters` }] : [];
}
