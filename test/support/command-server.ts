import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { runInProcess } from './in-process.ts';

/** How a script was called. */
export interface Called {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export type Run = (called: Called) => Promise<{ code: number; stdout: string; stderr: string }>;

/** Writes the script `pullcord` into a folder, which does what the command does. */
export function pullcordScript(t: Test, folder: string): Promise<string> {
  return scriptFor(t, join(folder, 'pullcord'), ({ args, env, cwd }) =>
    runInProcess(args, { cwd, env, stdin: undefined }),
  );
}

/**
 * Writes a script that has this process do its work: scripts start many commands, and a new process of Node takes far
 * longer than each of them. The script takes no input. One at a time.
 * @returns the path of the script
 */
export async function scriptFor(t: Test, path: string, run: Run): Promise<string> {
  const outputs = `${path}-outputs`;
  await mkdir(outputs, { recursive: true });
  let count = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    count += 1;
    void answer(socket, join(outputs, String(count)), run);
  });
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await writeFile(path, textFor(port));
  await chmod(path, 0o755);
  return path;
}

/** Sends folder, arguments and environment, each ended by a null character; receives an exit code and where the outputs are. */
function textFor(port: number): string {
  return `#!/usr/bin/env bash
exec 3<>/dev/tcp/127.0.0.1/${port}
{ printf '%s\\0' "$PWD" "$#" "$@"; env -0; printf '\\0'; } >&3
read -r code outputs <&3
cat "$outputs.out"
cat "$outputs.err" >&2
exit "$code"
`;
}

async function answer(socket: Socket, outputs: string, run: Run): Promise<void> {
  const [cwd = '', count = '', ...rest] = await recordsOf(socket);
  const args = rest.slice(0, Number(count));
  const env = Object.fromEntries(rest.slice(args.length).map((line) => splitAt(line, line.indexOf('='))));
  const { code, stdout, stderr } = await run({ args, env, cwd });
  await writeFile(`${outputs}.out`, stdout);
  await writeFile(`${outputs}.err`, stderr);
  socket.end(`${code} ${outputs}\n`);
}

/** What comes up to an empty record that is not an argument: names of variables are never empty. */
function recordsOf(socket: Socket): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    socket.on('error', reject).on('end', () => reject(new Error('the script went away')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const records = received.toString('utf8').split('\0');
      const end = records.indexOf('', 2 + Number(records[1]));
      // The last piece has not ended yet.
      if (end >= 0 && end < records.length - 1) resolve(records.slice(0, end));
    });
  });
}

function splitAt(line: string, index: number): [string, string] {
  return [line.slice(0, index), line.slice(index + 1)];
}
