import { execFile } from 'node:child_process';

/** `.ci/run` sets PULLCORD_TEST_PROMTOOL: there, tests are not skipped. */
const promtoolPath = process.env.PULLCORD_TEST_PROMTOOL ?? 'promtool';

/** Runs promtool, of Debian's package `prometheus`. */
export function promtool(
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number | string; readonly output: string }> {
  return new Promise((resolve) => {
    const child = execFile(promtoolPath, args, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: `${stdout}${stderr}` }),
    );
    child.stdin?.on('error', () => undefined).end(input);
  });
}

const isThere = process.env.PULLCORD_TEST_PROMTOOL !== undefined || (await promtool(['--version'])).code === 0;

/** For `t.test(name, { skip }, …)`. */
export const skipWithoutPromtool = !isThere && "promtool is not installed: it is in Debian's package prometheus";
