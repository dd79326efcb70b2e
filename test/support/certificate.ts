import { type KeyObject, sign } from 'node:crypto';

/** Makes a self-signed RSA certificate (RFC 5280) as PEM. */
export function selfSigned(
  { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject },
  validFrom: Date,
  validTo: Date,
): string {
  // sha256WithRSAEncryption, and a common name `test`.
  const algorithm = sequence(Buffer.from('06092a864886f70d01010b0500', 'hex'));
  const name = sequence(tagged(0x31, sequence(Buffer.from('0603550403', 'hex'), tagged(0x0c, Buffer.from('test')))));
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const serial = Buffer.from('020101', 'hex');
  const content = sequence(serial, algorithm, name, sequence(time(validFrom), time(validTo)), name, spki);
  const bits = tagged(0x03, Buffer.from([0]), sign('sha256', content, privateKey));
  const der = sequence(content, algorithm, bits).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${der.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function time(date: Date): Buffer {
  return tagged(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
