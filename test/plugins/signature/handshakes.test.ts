import { hash, sign } from 'node:crypto';
import t from 'tap';
import { formatOf } from '../../../plugins/auth/signature/format.ts';
import signature from '../../../plugins/auth/signature/index.ts';
import type { Options } from '../../../plugins/auth/signature/options.gen.ts';
import type { AuthVerdict, RequestHead } from '../../../src/contract/index.ts';
import { pluginContext, requestHead } from '../../support/exchange.ts';
import { hmac, keyPairs, now, seconds } from './samples.ts';

const context = { ...pluginContext, apiKeys: [], projects: ['support'] };

function authOf(options: Partial<Options> & Pick<Options, 'scheme'>) {
  return signature.create(context, { secrets: ['old', 'secret'], tolerance: 300_000, ...options });
}

async function verdictOf(
  auth: ReturnType<typeof authOf>,
  headers: RequestHead['headers'],
  body: string,
  changes: Partial<RequestHead> = {},
): Promise<AuthVerdict> {
  const result = await auth.authenticate({ ...requestHead(headers), receivedAt: now, ...changes });
  return result.kind === 'needs_body' ? result.verify(Buffer.from(body)) : result;
}

/** What a verdict replies: its status and its body, bytes as text. */
function replyOf(verdict: AuthVerdict): unknown {
  if (verdict.kind !== 'handshake') return verdict;
  const { status, body } = verdict.reply;
  return [status, body instanceof Uint8Array ? Buffer.from(body).toString() : body];
}

const wrong = { kind: 'rejected', reason: 'wrong signature' };
const malformed = { kind: 'rejected', reason: 'malformed challenge' };

t.test('a signed ping is answered and fires nothing: GitHub, Bitbucket, PagerDuty, Discord', async (t) => {
  const github = authOf({ scheme: 'github' });
  const ping = '{"zen":"Keep it logically awesome.","hook_id":1}';
  const githubHeaders = (event: string, body: string, secret = 'secret') => ({
    'x-github-event': event,
    'x-hub-signature-256': `sha256=${hmac(secret, body)}`,
  });
  t.strictSame(replyOf(await verdictOf(github, githubHeaders('ping', ping), ping)), [200, undefined]);
  t.strictSame(await verdictOf(github, githubHeaders('ping', ping, 'other'), ping), wrong);
  t.match(await verdictOf(github, githubHeaders('ping', '{"ref":"main"}'), '{"ref":"main"}'), {
    kind: 'authenticated',
  });
  t.match(await verdictOf(github, githubHeaders('push', ping), ping), { kind: 'authenticated' });

  const bitbucket = {
    'x-event-key': 'diagnostics:ping',
    'x-hub-signature': `sha256=${hmac('secret', '{"test":true}')}`,
  };
  t.strictSame(replyOf(await verdictOf(authOf({ scheme: 'bitbucket' }), bitbucket, '{"test":true}')), [200, undefined]);

  const pagey = '{"event":{"event_type":"pagey.ping"}}';
  const pagerduty = authOf({ scheme: 'pagerduty' });
  const pagerdutyHeaders = { 'x-pagerduty-signature': `v1=${hmac('secret', pagey)}` };
  t.strictSame(replyOf(await verdictOf(pagerduty, pagerdutyHeaders, pagey)), [200, undefined]);

  const { ed25519, rawEd25519 } = keyPairs;
  const discord = signature.create(context, {
    ...{ scheme: 'discord', tolerance: 300_000, publicKeys: [rawEd25519.toString('hex')] },
  });
  const send = (body: string, signed = body) => {
    const made = sign(null, Buffer.from(seconds + signed), ed25519.privateKey).toString('hex');
    return verdictOf(discord, { 'x-signature-ed25519': made, 'x-signature-timestamp': seconds }, body);
  };
  const interaction = '{"type":1,"token":"t","version":1}';
  t.strictSame(replyOf(await send(interaction)), [200, { type: 1 }]);
  t.strictSame(await send(interaction, 'another body'), wrong);
  t.strictSame(replyOf(await send('{"type":0,"version":1}')), [204, undefined]);
  t.match(await send('{"type":1,"version":1,"event":{"type":"ENTITLEMENT_CREATE"}}'), { kind: 'authenticated' });
});

t.test('a signed challenge is echoed: Slack, Twitch', async (t) => {
  const slack = authOf({ scheme: 'slack' });
  const body = '{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}';
  const slackHeaders = (content: string, secret = 'secret') => ({
    'x-slack-request-timestamp': seconds,
    'x-slack-signature': `v0=${hmac(secret, `v0:${seconds}:${content}`)}`,
  });
  const challenge = '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P';
  t.strictSame(replyOf(await verdictOf(slack, slackHeaders(body), body)), [200, { challenge }]);
  t.strictSame(await verdictOf(slack, slackHeaders(body, 'other'), body), wrong);
  for (const odd of ['<script>', '', 'x'.repeat(513), 'a\\u000ab']) {
    const changed = body.replace(challenge, odd);
    t.strictSame(await verdictOf(slack, slackHeaders(changed), changed), malformed, odd);
  }
  for (const odd of ['{"type":"url_verification"}', `${body.slice(0, -1)},"challenge":"b"}`]) {
    t.strictSame(await verdictOf(slack, slackHeaders(odd), odd), malformed, odd);
  }
  const nested = '{"type":"event_callback","event":{"type":"url_verification"}}';
  t.match(await verdictOf(slack, slackHeaders(nested), nested), { kind: 'authenticated' });

  const twitch = authOf({ scheme: 'twitch' });
  const sent = '{"challenge":"pogchamp-kappa-360noscope-vohiyo"}';
  const twitchHeaders = {
    'twitch-eventsub-message-id': 'm1',
    'twitch-eventsub-message-timestamp': seconds,
    'twitch-eventsub-message-type': 'webhook_callback_verification',
    'twitch-eventsub-message-signature': `sha256=${hmac('secret', `m1${seconds}${sent}`)}`,
  };
  const verdict = await verdictOf(twitch, twitchHeaders, sent);
  t.strictSame(replyOf(verdict), [200, 'pogchamp-kappa-360noscope-vohiyo']);
  t.match(verdict, { reply: { headers: { 'content-type': /^text\/plain/, 'x-content-type-options': 'nosniff' } } });
});

t.test('a signed token is answered with its HMAC under the secret that signed it: Zoom', async (t) => {
  const zoom = authOf({ scheme: 'zoom' });
  const body = '{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1}';
  const headers = (secret: string, content = body) => ({
    'x-zm-request-timestamp': seconds,
    'x-zm-signature': `v0=${hmac(secret, `v0:${seconds}:${content}`)}`,
  });
  for (const secret of ['old', 'secret']) {
    t.strictSame(replyOf(await verdictOf(zoom, headers(secret), body)), [
      200,
      { plainToken: 'qgg8vlvZRS6UYooatFL8Aw', encryptedToken: hmac(secret, 'qgg8vlvZRS6UYooatFL8Aw') },
    ]);
  }
  t.strictSame(await verdictOf(zoom, headers('other'), body), wrong, 'no HMAC for a stranger');
  t.strictSame(await verdictOf(zoom, {}, body), { kind: 'abstained' }, 'nor for nobody');
  const odd = body.replace('qgg8vlvZRS6UYooatFL8Aw', '<b>');
  t.strictSame(await verdictOf(zoom, headers('secret', odd), odd), malformed);
});

t.test('a validation token is echoed, and anything else must carry the secret: Microsoft Graph', async (t) => {
  const graph = authOf({ scheme: 'microsoft-graph' });
  const ask = (query: string, body = '') => verdictOf(graph, {}, body, { query });
  const sentence = 'Validation: Testing client application reachability for subscription Request-Id: 522a8e7e-096a';
  const verdict = await ask(`a=1&validationToken=${encodeURIComponent(sentence)}`);
  t.strictSame(replyOf(verdict), [200, sentence]);
  t.match(verdict, { reply: { headers: { 'content-type': /^text\/plain/, 'x-content-type-options': 'nosniff' } } });
  t.strictSame(await ask('validationToken=%3Cb%3E'), malformed);
  t.strictSame(await ask('validationToken='), malformed);
  t.match(await ask('validationToken=a&validationToken=b'), { kind: 'abstained' }, 'two tokens');
  const notify = (...states: unknown[]) =>
    ask('', JSON.stringify({ value: states.map((clientState) => ({ clientState })) }));
  t.match(await notify('secret', 'secret'), { kind: 'authenticated' });
  for (const states of [['other'], [''], ['secret', 'other'], ['secret', 1], ['secret', undefined], ['secret', {}]]) {
    t.match(await notify(...states), { kind: 'rejected', reason: 'wrong token' }, JSON.stringify(states));
  }
  for (const body of ['', '{}', '{"value":[]}', '{"value":"secret"}', '[', '{"value":[{"clientState":"secret"']) {
    t.match(await ask('', body), { kind: 'abstained' }, body);
  }
});

t.test('Twilio and Square sign the URL that they call, which a proxy may hide', async (t) => {
  const body = '{"type":"payment.created"}';
  const path = '/api/v1.0/project/support/trigger/pay';
  const headersOf = (url: string) => ({ 'x-square-hmacsha256-signature': hmac('secret', url + path + body, 'base64') });
  const kindOf = async (publicUrl: string | undefined, signed: string, host: string | undefined) => {
    const auth = authOf({ scheme: 'square', ...(publicUrl !== undefined && { publicUrl }) });
    return (await verdictOf(auth, { ...headersOf(signed), host }, body, { path })).kind;
  };
  t.equal(await kindOf('https://a.example', 'https://a.example', '10.0.0.1:8080'), 'authenticated');
  t.equal(await kindOf('https://a.example/', 'https://a.example', undefined), 'authenticated');
  t.equal(await kindOf('https://a.example/hooks', 'https://a.example/hooks', 'x'), 'authenticated');
  t.equal(await kindOf('https://a.example', 'https://a.example:443', 'x'), 'authenticated', 'with the port');
  t.equal(await kindOf('https://a.example:8443', 'https://a.example', 'x'), 'authenticated', 'without the port');
  t.equal(await kindOf('https://a.example', 'https://b.example', 'b.example'), 'rejected', 'the option decides');
  t.equal(await kindOf('https://a.example', 'http://a.example', 'x'), 'rejected');
  t.equal(await kindOf(undefined, 'https://a.example', 'a.example'), 'authenticated', 'by the Host header');
  t.equal(await kindOf(undefined, 'https://[::1]:8443', '[::1]:8443'), 'authenticated');
  t.equal(await kindOf(undefined, 'https://a.example', 'b.example'), 'rejected');
  for (const host of [undefined, '', 'a b', 'a/b', 'user@a']) {
    t.equal(await kindOf(undefined, `https://${host}`, host), 'rejected', `Host: ${host}`);
  }
});

t.test('Twilio signs a form by its parameters and JSON by its hash, and nothing that is neither', async (t) => {
  const path = '/t';
  const twilio = authOf({ scheme: 'twilio', publicUrl: 'https://a.example' });
  const kindOf = async (signed: string, body: string, type: string | undefined, query = '') => {
    const headers = {
      'x-twilio-signature': hmac('secret', `https://a.example/t${signed}`, 'base64', 'sha1'),
      'content-type': type,
    };
    return (await verdictOf(twilio, headers, body, { path, query })).kind;
  };
  const form = 'application/x-www-form-urlencoded';
  t.equal(await kindOf('a1b2', 'b=2&a=1', form), 'authenticated');
  t.equal(await kindOf('a1a2b2', 'b=2&a=2&a=1&a=2', form), 'authenticated', 'equal values count once');
  t.equal(await kindOf('', '', undefined), 'authenticated', 'no body');
  t.equal(await kindOf('', '{"a":1}', 'application/json'), 'rejected', 'JSON without a hash');
  t.equal(await kindOf('', 'a=1', 'text/plain'), 'rejected', 'a form that does not say so');
  t.equal(await kindOf('a1', 'a=1&b=2', form), 'rejected');
  const many = Array.from({ length: 1025 }, (_, index) => `k${index}=`);
  const names = (count: number) =>
    many
      .slice(0, count)
      .map((one) => one.slice(0, -1))
      .sort()
      .join('');
  t.equal(await kindOf(names(1024), many.slice(0, 1024).join('&'), form), 'authenticated');
  t.equal(await kindOf(names(1025), many.join('&'), form), 'rejected', 'too many parameters');
  const hashed = (content: string) => `bodySHA256=${hash('sha256', content)}`;
  t.equal(await kindOf(`?${hashed('{}')}`, '{}', 'application/json', hashed('{}')), 'authenticated');
  t.equal(await kindOf(`?${hashed('{}')}`, '{"a":1}', 'application/json', hashed('{}')), 'rejected');
  t.equal(await kindOf('', '{}', 'application/json', hashed('{}')), 'rejected', 'a hash that is not signed');
});

t.test('a form is parsed once and searched for no name, however many URLs may have been signed', async (t) => {
  const work = { parsed: 0, searched: 0 };
  class CountedParameters extends URLSearchParams {
    constructor(text: string) {
      super(text);
      work.parsed += 1;
    }
    override getAll(name: string) {
      work.searched += 1;
      return super.getAll(name);
    }
  }
  t.intercept(globalThis, 'URLSearchParams', { value: CountedParameters });
  const names = Array.from({ length: 1024 }, (_, index) => `k${index}`);
  const body = names.map((name) => `${name}=1`).join('&');
  const headers = {
    'x-twilio-signature': hmac('other', body, 'base64', 'sha1'),
    'content-type': 'application/x-www-form-urlencoded',
  };
  const twilio = authOf({ scheme: 'twilio', publicUrl: 'https://a.example' });
  t.strictSame(await verdictOf(twilio, headers, body), wrong);
  t.strictSame(work, { parsed: 1, searched: 0 });
});

t.test('a request without the hash of its body is refused where nothing else covers the body', async (t) => {
  const kindOf = async (payload: string, query: string, body: string, signed = `https://a.example/t?${query}`) => {
    const custom = formatOf({ signature: 'header:x-a', payload, bodyHash: 'query:h' });
    const auth = authOf({ scheme: 'custom', custom, publicUrl: 'https://a.example' });
    return verdictOf(auth, { 'x-a': hmac('secret', signed) }, body, { path: '/t', query });
  };
  const hashed = `h=${hash('sha256', '{}')}`;
  const refused = { kind: 'rejected', reason: 'malformed signature' };
  t.match(await kindOf('{url}', hashed, '{}'), { kind: 'authenticated' });
  t.strictSame(await kindOf('{url}', hashed, '{"a":1}'), wrong);
  t.strictSame(await kindOf('{url}', 'a=1', '{"a":1}'), refused, 'no hash');
  t.strictSame(await kindOf('{url}', `${hashed}&${hashed}`, '{}'), refused, 'two hashes');
  t.strictSame(await kindOf('{url}{body:/a}', 'a=1', '{"a":1}', 'https://a.example/t?a=11'), refused, 'a part of it');
  t.match(await kindOf('{url}{body}', 'a=1', '{}', 'https://a.example/t?a=1{}'), { kind: 'authenticated' });
  t.match(await kindOf('{url}{form}', 'a=1', ''), { kind: 'authenticated' });
});
