import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Test } from 'tap';
import { until } from './until.ts';

/** How a gateway is called through nginx, by the directives of its location. */
export const proxying = {
  // HTTP/1.0 and a connection for each request.
  'nginx as it comes': '',
  'nginx that keeps connections': 'proxy_http_version 1.1; proxy_set_header Connection "";',
  'nginx that passes bodies on as they arrive': 'proxy_http_version 1.1; proxy_request_buffering off;',
} as const;

export type Proxying = keyof typeof proxying;

/** The path of an installed program; undefined if there is none. Debian has nginx where only root looks. */
export async function programPath(name: string): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

/**
 * Starts nginx in front of gateways; it stops with the test.
 * @param ports of the gateways on this machine
 * @returns the Unix socket for a gateway and a way to call it
 */
export async function startNginx(
  t: Test,
  program: string,
  ports: readonly number[],
): Promise<(port: number, way: Proxying) => string> {
  const folder = await nginxFolder(t);
  const ways = Object.keys(proxying) as Proxying[];
  const socketOf = (port: number, way: Proxying) => join(folder, `${port}-${ways.indexOf(way)}.sock`);
  const servers = ports.flatMap((port) => ways.map((way) => serverOf(socketOf(port, way), port, proxying[way])));
  await run(t, program, folder, servers, socketOf(ports[0] ?? 0, ways[0] ?? 'nginx as it comes'));
  return socketOf;
}

/**
 * Starts nginx with directives of one server; it stops with the test.
 * @param http directives outside of the server
 * @returns its Unix socket
 */
export async function startNginxServer(
  t: Test,
  program: string,
  directives: { readonly server: string; readonly http: string },
): Promise<string> {
  const folder = await nginxFolder(t);
  const socket = join(folder, 'server.sock');
  const servers = [directives.http, `server { listen unix:${socket};\n${directives.server} }`];
  await run(t, program, folder, servers, socket);
  return socket;
}

async function nginxFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-nginx-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Resolves when it accepts connections at a socket of its servers. */
async function run(
  t: Test,
  program: string,
  folder: string,
  servers: readonly string[],
  socket: string,
): Promise<void> {
  const config = join(folder, 'nginx.conf');
  await writeFile(config, configOf(folder, servers));
  const child = spawn(program, ['-p', folder, '-c', config, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  await until(() => isOver() || accepts(socket));
  if (isOver()) throw new Error(`nginx did not start: ${said}`);
}

function serverOf(socket: string, port: number, directives: string): string {
  return `
  upstream gateway-${port}-${directives.length} { server 127.0.0.1:${port}; keepalive 4; }
  server {
    listen unix:${socket};
    location / { proxy_pass http://gateway-${port}-${directives.length}; ${directives} }
  }`;
}

/** Everything that it writes is in the folder. Its worker keeps the user who starts it, to whom the folder belongs. */
function configOf(folder: string, servers: readonly string[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 512; }
http {
  access_log off;
  client_max_body_size 0;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  ${servers.join('')}
}
`;
}

/** Whether something listens at a Unix socket. */
export function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(true)).on('error', () => resolve(false));
    socket.unref().end();
  });
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
