import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

/** What its command starts: that has no extension, at which tap's loaders, which each child gets, fail. */
const program = fileURLToPath(import.meta.resolve('yaml-language-server/out/src/server.js'));

/** What Visual Studio Code's YAML extension would be set to; nothing is to be fetched. */
const settings: Readonly<Record<string, unknown>> = {
  yaml: { schemaStore: { enable: false }, validate: true, hover: true, completion: true },
};

/** Whoever reaches out for anything ends at once, which fails what waits for an answer. */
const withoutNetwork = `data:text/javascript,${encodeURIComponent(`
  import dns from 'node:dns';
  import net from 'node:net';
  const refuse = () => { process.stderr.write('the language server wants the network\\n'); process.exit(1); };
  net.Socket.prototype.connect = refuse;
  dns.lookup = refuse;
`)}`;

export interface LspPosition {
  readonly line: number;
  readonly character: number;
}

export interface LspDiagnostic {
  readonly message: string;
  readonly range: { readonly start: LspPosition; readonly end: LspPosition };
}

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: object;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** A yaml-language-server in a process of its own, spoken to as an editor does (LSP 3.17 over stdio). */
export class LanguageServer {
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #published = new Map<string, (message: Message) => void>();
  readonly #ended: Promise<never>;
  #received = Buffer.alloc(0);
  #lastId = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the language server ended with ${code}`);
    });
    // It is for those that wait.
    this.#ended.catch(() => {});
    child.stdout?.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  /** Starts one that ends with the test. */
  static async start(t: Test): Promise<LanguageServer> {
    const child = spawn(process.execPath, ['--import', withoutNetwork, program, '--stdio'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const server = new LanguageServer(child);
    const markdown = ['markdown'];
    const textDocument = {
      hover: { contentFormat: markdown },
      completion: { completionItem: { snippetSupport: true, documentationFormat: markdown } },
    };
    const capabilities = { workspace: { configuration: true }, textDocument };
    await server.request('initialize', { processId: process.pid, rootUri: null, capabilities });
    server.#send({ method: 'initialized', params: {} });
    return server;
  }

  /** Opens a document; gives what is wrong with it. */
  async open(uri: string, text: string): Promise<readonly LspDiagnostic[]> {
    const { promise, resolve } = Promise.withResolvers<Message>();
    this.#published.set(uri, resolve);
    this.#send({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri, languageId: 'yaml', version: 1, text } },
    });
    const { params } = await Promise.race([promise, this.#ended]);
    return Reflect.get(Object(params), 'diagnostics');
  }

  async request(method: string, params: object): Promise<unknown> {
    this.#lastId += 1;
    const { promise, resolve } = Promise.withResolvers<Message>();
    this.#answers.set(this.#lastId, resolve);
    this.#send({ id: this.#lastId, method, params });
    const { result, error } = await Promise.race([promise, this.#ended]);
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  #send(message: Message): void {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#child.stdin?.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const headEnd = this.#received.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const [, length] = /Content-Length: (\d+)/i.exec(this.#received.toString('latin1', 0, headEnd)) ?? [];
      const end = headEnd + 4 + Number(length);
      if (this.#received.length < end) return;
      const message: Message = JSON.parse(this.#received.toString('utf8', headEnd + 4, end));
      this.#received = this.#received.subarray(end);
      this.#take(message);
    }
  }

  #take(message: Message): void {
    const { id, method, params } = message;
    if (method === 'textDocument/publishDiagnostics')
      this.#published.get(Reflect.get(Object(params), 'uri'))?.(message);
    else if (method === undefined) this.#answers.get(Number(id))?.(message);
    else if (id !== undefined) {
      const items: { section: string }[] | undefined = Reflect.get(Object(params), 'items');
      const isAsked = method === 'workspace/configuration' && items !== undefined;
      this.#send({ id, result: isAsked ? items.map(({ section }) => settings[section] ?? null) : null });
    }
  }
}
