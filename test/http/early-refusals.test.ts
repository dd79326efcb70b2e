// npm run refusal-test, which has no options: 1,000 refusals, of bodies up to 25 MB.
import t from 'tap';
import { basicFiles, gatewayFile, keyFile, secrets, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { type Proxying, programPath, proxying, startNginx } from '../support/nginx.ts';
import { type Upload, uploadClients } from '../support/upload-clients.ts';

const isLong = process.argv.includes('--long');
if (isLong && process.argv.includes('--help')) {
  console.log('Sends 1,000 requests with bodies of up to 25 MB that are refused early, directly and through nginx.');
  process.exit(0);
}
const refusals = isLong ? 1000 : 72;
const smallest = 70_000;
const largest = isLong ? 25_000_000 : 6_000_000;
// Started by node alone, tap would end it after 30 seconds.
if (isLong) t.setTimeout(0);

const named = process.env.PULLCORD_TEST_NGINX;
const programs = {
  nginx: named ?? (await programPath('nginx')),
  curl: await programPath('curl'),
  python3: await programPath('python3'),
};
const missing = Object.entries(programs).flatMap(([name, path]) => (path === undefined ? [name] : []));
/** Where PULLCORD_TEST_NGINX says which nginx to use, nothing may be missing. */
const skip = named === undefined && missing.length > 0 && `not installed: ${missing.join(', ')}`;

const trigger = '/api/v1.0/project/support/trigger';
const json = { 'content-type': 'application/json' };
const key = { 'x-api-key': secrets.website };

/** What is refused before its body is read, by the answer. */
const refused: Readonly<Record<string, Pick<Upload, 'method' | 'path' | 'headers'>>> = {
  '401 unauthorized': { method: 'POST', path: `${trigger}/echo`, headers: json },
  '403 forbidden': { method: 'POST', path: `${trigger}/echo`, headers: { ...json, 'x-api-key': secrets.untriggering } },
  '404 trigger_not_found': { method: 'POST', path: `${trigger}/unknown`, headers: { ...json, ...key } },
  '404 not_found': { method: 'POST', path: '/nowhere', headers: json },
  '405 method_not_allowed': { method: 'PUT', path: `${trigger}/echo`, headers: { ...json, ...key } },
  '413 body_too_large': { method: 'POST', path: `${trigger}/echo`, headers: { ...json, ...key } },
  '415 unsupported_media_type': {
    method: 'POST',
    path: `${trigger}/echo`,
    headers: { 'content-type': 'text/html', ...key },
  },
  '503 unavailable': { method: 'POST', path: `${trigger}/outage`, headers: json },
};

const outage = `export default {
  contract: 'v1', stage: 'auth', name: 'outage', summary: 'Cannot reach what it asks.',
  optionsSchema: { type: 'object', additionalProperties: false },
  create: () => ({ authenticate: () => ({ kind: 'unavailable', reason: 'out of reach' }) }),
};`;

/** How the gateway is called, without a proxy and through one. */
const ways = ['HTTP/1.1', 'HTTP/1.0', 'chunked', ...(Object.keys(proxying) as Proxying[])] as const;

/** A busy machine may take minutes for 25 MB. */
const files = (bodyLimit: string) => ({
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ server: { bodyLimit, requestTimeout: '10m' }, plugins: ['./outage.mjs'] }),
  'keys/untriggering.yaml': keyFile('untriggering', { permissions: ['project.runs'] }),
  'outage.mjs': outage,
  'triggers/outage.yaml': triggerFile('outage', { auth: { uses: 'outage' } }),
  'triggers/echo.yaml': triggerFile('echo'),
});

t.test(`${refusals} early refusals arrive as what they are, also through nginx`, { skip }, async (t) => {
  const roomy = await startTestGateway(t, files('32MiB'));
  const strict = await startTestGateway(t, files('64KiB'));
  const portOf = ({ gateway }: typeof roomy) => gateway.address.port;
  const socketOf = await startNginx(t, programs.nginx ?? '', [portOf(roomy), portOf(strict)]);

  const uploadOf = (answer: string, way: string, client: string, index: number): Upload => {
    const port = portOf(answer.startsWith('413') ? strict : roomy);
    return {
      ...(refused[answer] ?? { method: '', path: '', headers: {} }),
      to: isProxying(way) ? socketOf(port, way) : port,
      // Undici has no other.
      version: way === 'HTTP/1.0' && client !== 'undici' ? '1.0' : '1.1',
      isChunked: way === 'chunked',
      // The golden ratio spreads them evenly over all magnitudes.
      bytes: Math.round(smallest * (largest / smallest) ** ((index * 0.618_034) % 1)),
    };
  };
  const answers = Object.keys(refused);
  /** Of 48 in succession, each answer meets each way once. */
  const caseAt = (index: number) => ({
    answer: answers[index % answers.length] ?? '',
    way: ways[(index + Math.floor(index / 24)) % ways.length] ?? '',
  });
  const clients = Object.entries(uploadClients);
  const lost: Record<string, number> = {};
  let sent = 0;
  await Promise.all(
    clients.map(async ([client, send], offset) => {
      const cases = Array.from({ length: Math.ceil((refusals - offset) / clients.length) }, (_, index) =>
        caseAt(index),
      );
      const received = await send(cases.map(({ answer, way }, index) => uploadOf(answer, way, client, index)));
      sent += received.length;
      for (const [index, { answer, way }] of cases.entries()) {
        if (received[index] === answer) continue;
        const what = `${client}, ${way}: ${received[index]} instead of ${answer}`;
        lost[what] = (lost[what] ?? 0) + 1;
      }
    }),
  );
  t.equal(sent, refusals);
  t.strictSame(lost, {});
});

function isProxying(way: string): way is Proxying {
  return Object.hasOwn(proxying, way);
}
