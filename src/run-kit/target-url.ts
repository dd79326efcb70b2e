import { OptionsError, type OutboundClient, type PluginContext } from '../contract/index.ts';
import { urlProblem } from './option-problems.ts';

/**
 * Reads a URL from the options. Warns of one that the gateway may not call. Throws an OptionsError unless it is http or
 * https, without credentials.
 * @param pointer JSON pointer (RFC 6901) of the option
 */
export function targetUrl(context: PluginContext, client: OutboundClient, pointer: string, text: string): URL {
  const fault = urlProblem(text);
  if (fault !== undefined) throw new OptionsError([{ pointer, ...fault }]);
  const url = new URL(text);
  if (client.forbids(url)) {
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    context.report({
      severity: 'warning',
      pointer,
      message: 'is not a public address, so that it is not called',
      hint: `Allow it in gateway.yaml if it is meant: outbound: { allow: ["${url.hostname}:${port}"] }.`,
    });
  }
  return url;
}
