/**
 * The address of a trigger.
 * @param base URL of the gateway
 * @param trigger `project/key`
 */
export function triggerUrl(base: string, trigger: string): string {
  const [project = '', key = ''] = trigger.split('/').map(encodeURIComponent);
  return `${base.replace(/\/$/, '')}/project/${project}/trigger/${key}`;
}
