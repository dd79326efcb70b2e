/**
 * Parses a URL of a message. Undefined unless it leads to Amazon SNS in the region of the topic: what the body of an
 * unknown sender names is fetched nowhere else (SSRF).
 */
export function amazonUrl(text: string | undefined, topic: string, path: RegExp): URL | undefined {
  const [, partition = '', , region = ''] = topic.split(':');
  const host = `sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;
  const url = URL.parse(text ?? '');
  if (url === null || url.origin !== `https://${host}` || url.username !== '' || url.password !== '') return undefined;
  return path.test(url.pathname + url.search) ? url : undefined;
}

export const certificatePath = /^\/SimpleNotificationService-[0-9a-f]{8,64}\.pem$/;
export const confirmationPath = /^\/\?Action=ConfirmSubscription&[\w.~%&=:-]{1,2048}$/;
