import { AsyncLocalStorage } from 'node:async_hooks';
import { Readable, Writable } from 'node:stream';
import { main } from '../../src/cli/main.ts';

/** What a command takes for its process. */
interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

const surroundings = new AsyncLocalStorage<Surroundings>();
const { env: ownEnv } = process;

// Commands run beside tests, whose output is that of the process. Each has its own by the calls that it makes.
for (const name of ['stdin', 'stdout', 'stderr'] as const) {
  const own = Object.getOwnPropertyDescriptor(process, name);
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get: () => surroundings.getStore()?.[name] ?? own?.get?.call(process) ?? own?.value,
  });
}
const currentEnv = () => surroundings.getStore()?.env ?? ownEnv;
process.env = new Proxy(ownEnv, {
  get: (_, name) => Reflect.get(currentEnv(), name),
  set: (_, name, value) => Reflect.set(currentEnv(), name, value),
  has: (_, name) => Reflect.has(currentEnv(), name),
  ownKeys: () => Reflect.ownKeys(currentEnv()),
  getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(currentEnv(), name),
  defineProperty: (_, name, descriptor) => Reflect.defineProperty(currentEnv(), name, descriptor),
  deleteProperty: (_, name) => Reflect.deleteProperty(currentEnv(), name),
});

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs a command line in this process, with an environment, an input and outputs of its own. The folder that it works in
 * is that of the whole process: a test that names one runs nothing else meanwhile.
 */
export async function runInProcess(
  args: readonly string[],
  { env, stdin = '', cwd = '.' }: { env: NodeJS.ProcessEnv; stdin: string | undefined; cwd: string | undefined },
) {
  const before = process.cwd();
  process.chdir(cwd);
  const [stdout, stderr] = [new Collected(), new Collected()];
  const listeners = signals.map((signal) => process.listeners(signal));
  const code = await surroundings
    .run({ env, stdin: Readable.from([stdin]), stdout, stderr }, () => main(args))
    .finally(() => process.chdir(before));
  // A process would have ended with them.
  for (const [index, signal] of signals.entries()) {
    for (const listener of process.listeners(signal)) {
      if (!listeners[index]?.includes(listener)) process.removeListener(signal, listener);
    }
  }
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Collected extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}
