import type { Format } from '../../plugins/auth/signature/format.ts';
import schema from '../../plugins/auth/signature/options.schema.json' with { type: 'json' };
import { presetBody, presetFormats, presetNames, presetSource } from '../../plugins/auth/signature/presets.ts';
import { code, page, table, yamlBlock } from './markdown.ts';

/** The page that shows each scheme of the signature plugin as the format that it is. */
export function schemePage(): string {
  return page(
    'plugins/auth/signature/presets.ts',
    '# Signature schemes',
    'Each scheme of the [`signature`](plugins/auth-signature.md) plugin is a `custom` format that has a name. Start from the one that is nearest to yours, and change it. Where a scheme has several formats, the first one whose signature a request carries decides.',
    'Where the config of a trigger leaves its [`body`](stages.md#body) open, the scheme of one sender implies what its bodies are like: their members are the sender’s own (`fields: free`), and some are forms. `standard-webhooks`, `svix`, `hmac` and `custom` imply nothing, since many senders sign that way.',
    overview(),
    ...presetNames.flatMap((name) => [
      `## ${name}`,
      `As described by [its sender](${presetSource(name)}).`,
      ...impliedBody(name),
      ...presetFormats(name).map((format) => exampleOf(name, format)),
    ]),
  );
}

function impliedBody(name: (typeof presetNames)[number]): readonly string[] {
  const body = presetBody(name);
  return body === undefined ? [] : [`Implies \`body: ${inYaml(body)}\`.`];
}

/** `{"a":["b"]}` → `{ a: [b] }` */
function inYaml(value: object): string {
  return JSON.stringify(value)
    .replaceAll('"', '')
    .replaceAll(/[:,]/g, '$& ')
    .replaceAll('{', '{ ')
    .replaceAll('}', ' }');
}

function overview(): string {
  const rows = presetNames.map((name) => {
    const formats = presetFormats(name);
    const [first] = formats;
    return [
      `[${code(name)}](#${name})`,
      [...new Set(formats.map(({ signature }) => code(signature)))].join(', '),
      isPublic(first) ? '`publicKeys`' : '`secrets`',
      formats.some(({ timestamp }) => timestamp !== undefined) ? 'yes' : 'no',
      placesOf(first?.event?.name),
      placesOf(first?.event?.id),
    ];
  });
  return table(['`scheme`', 'Signature', 'Keys', 'Signs a time', 'Name of the event', 'Its id'], rows);
}

function isPublic(format: Format | undefined): boolean {
  return format !== undefined && /^(?:ed25519|ecdsa|rsa)/.test(format.algorithm);
}

function placesOf(places: string | readonly string[] | undefined): string {
  return [places ?? []].flat().map(code).join(', ');
}

/** A trigger whose `custom` says what the scheme says. */
function exampleOf(name: string, format: Format): string {
  const keys = isPublic(format)
    ? { publicKeys: [exampleKeys[format.algorithm]] }
    : { secrets: [{ env: 'WEBHOOK_SECRET' }] };
  const auth = { uses: 'signature', with: { scheme: 'custom', name, ...keys, custom: brief(format) } };
  const trigger = { version: 1, kind: 'Trigger', project: 'support', key: name, auth, run: { uses: 'echo' } };
  return yamlBlock(trigger, `config/projects/support/triggers/${name}.yaml`);
}

/** Keys of nobody. */
const exampleKeys: Readonly<Record<string, string>> = {
  ed25519: 'e7a1c0bd7ce3d6f1a7f3d3b5f0f9c2f8a5d17c8dd2f4b1c7a6e5f4d3c2b1a098',
  'ecdsa-sha256':
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==',
};

/** A format without its defaults, in the order of the schema. */
function brief(format: Format): object {
  const { properties } = schema.properties.custom;
  const written = Object.keys(properties)
    .map((name): [string, unknown] => [name, Reflect.get(format, name)])
    .filter(([name, value]) => value !== undefined && defaultOf(properties, name) !== value);
  const handshakes = format.handshakes?.map((handshake) =>
    Object.fromEntries(Object.entries(handshake).filter(([name, value]) => !isUsual(name, value))),
  );
  return { ...Object.fromEntries(written), ...(handshakes && { handshakes }) };
}

function defaultOf(properties: object, name: string): unknown {
  return Object(Reflect.get(properties, name)).default;
}

function isUsual(name: string, value: unknown): boolean {
  return defaultOf(schema.properties.custom.properties.handshakes.items.properties, name) === value;
}
