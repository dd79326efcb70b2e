import { OptionsError, type OutboundClient, type PluginContext } from '../contract/index.ts';

/**
 * Reads an address from the options: an http or https URL without credentials. Warns of one that the gateway may not
 * call. Throws an OptionsError.
 * @param pointer JSON pointer of the option
 */
export function targetUrl(context: PluginContext, client: OutboundClient, pointer: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    const hint = 'Write it in full, e.g. http://127.0.0.1:3001/agent.';
    throw new OptionsError([{ pointer, message: 'is not an http or https URL', hint }]);
  }
  if (url.username !== '' || url.password !== '') {
    const hint = 'Send them as a header: headers: { authorization: { env: NAME } }.';
    throw new OptionsError([{ pointer, message: 'must not hold credentials', hint }]);
  }
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
