import cluster from 'node:cluster';
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import type { Gateway } from '../http/gateway.ts';
import { configOption, existingFolder } from './config-option.ts';
import { helpText } from './help-text.ts';
import type { Log } from './log.ts';
import { parsePort, parseProcesses } from './numbers.ts';
import { hideEnvironment } from './serve/hide-environment.ts';
import { npmParent } from './serve/npm-parent.ts';
import { type Pages, serveSite } from './serve/site-of-serve.ts';
import { stopSignal } from './serve/stop-signal.ts';
import { urlOf } from './serve/url-of.ts';
import { Worker } from './serve/worker.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';

/** How long a gateway whose store is broken may take to close, in milliseconds. */
const lastResortMs = 60_000;

export function registerServe(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('serve')
    .summary('run the gateway')
    .description(
      'Serves the triggers of a config folder, and reloads it when it changes, until it is stopped.\n\n' +
        'SIGTERM or SIGINT stop it gracefully, a second one at once, or ends `server.shutdownDelay`; SIGHUP reloads the config ' +
        'and its secrets.',
    )
    .addOption(configOption())
    .option(
      '--site <dir>',
      'also serves the files of this folder on a port of its own, on 127.0.0.1 only, to try pages that call the gateway',
    )
    .option('--site-port <port>', 'the port of --site; 0 means any free one', parsePort, 8081)
    .option(
      '--processes <count>',
      'how many processes serve, to use several cores; more than one needs an engine that processes share (postgres)',
      parseProcesses,
      1,
    )
    .addHelpText(
      'after',
      helpText({
        examples: [
          'pullcord serve',
          'PULLCORD_LOG_LEVEL=warn pullcord serve --config deploy/config',
          'pullcord serve --site config/site',
          'pullcord serve --processes 4',
        ],
        environment: {
          PULLCORD_LOG_LEVEL: 'how much is logged: debug, info (the default), warn, error or silent',
          'OTEL_…':
            'where traces are exported to, as OpenTelemetry names it: OTEL_EXPORTER_OTLP_ENDPOINT (see docs/tracing.md)',
          PULLCORD_NODE: 'what the node is called in `pullcord nodes`; by default host name and process id',
        },
        exitCodes: {
          0: 'it stopped gracefully',
          1: 'it cannot serve, or a second signal ended it',
          70: 'the journal is damaged (see `pullcord runs recover`), or pullcord itself failed',
        },
      }),
    )
    .action(async ({ config, site, sitePort, processes }: ServeOptions) => {
      const root = existingFolder(config);
      const pages = site === undefined ? undefined : { root: siteFolder(site), port: sitePort };
      if (processes === 1 || cluster.isWorker) return finish(await serve(root, pages));
      const { serveProcesses } = await import('./serve/processes.ts');
      finish(await serveProcesses(root, { count: processes, pages }));
    });
}

interface ServeOptions {
  readonly config: string;
  readonly site?: string;
  readonly sitePort: number;
  readonly processes: number;
}

function siteFolder(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new UsageError(`folder ${path} does not exist; name the folder of the pages with --site DIR`);
}

async function serve(root: string, pages: Pages | undefined): Promise<ExitCode> {
  // First of all: it may go soon.
  const parent = cluster.isWorker ? undefined : npmParent(process.env);
  const environment = hideEnvironment();
  // Otherwise Node opens its debugger, which can read everything, to any process of this user that sends SIGUSR1.
  process.on('SIGUSR1', () => {});
  const [{ startGateway }, { createLog }, { formatProblems }, { programWarnings }, { traceSettings }, { LiveReview }] =
    await Promise.all([
      import('../http/gateway.ts'),
      import('./log.ts'),
      import('../diagnostics/format.ts'),
      import('./serve/program-warnings.ts'),
      import('../observe/traces/settings.ts'),
      import('../review/live-review.ts'),
    ]);
  const log = createLog();
  const crash = (error: unknown) => {
    log.fatal({ err: error }, 'the gateway failed unexpectedly');
    log.close();
    process.exit(exitCodes.crash);
  };
  process.once('uncaughtException', crash);
  process.once('unhandledRejection', crash);
  // A file that may not grow (RLIMIT_FSIZE) is like a full disk to the journal, and not a reason to exit.
  process.on('SIGXFSZ', () => {});

  const { pid, env: variables } = process;
  const warnOfPrograms = programWarnings(log, { pid, environment, variables, proc: '/proc' });
  const worker = cluster.isWorker ? new Worker() : undefined;
  const { settings: traces, warnings } = traceSettings(variables);
  for (const warning of warnings) log.warn({}, warning);
  const started = await startGateway({
    root,
    log,
    adminSocket: worker?.adminSocket,
    traces,
    review: new LiveReview(),
    onConfig: (config) => void warnOfPrograms(config),
  });
  if (!started.ok) {
    terminal.words(formatProblems(started.problems, started.sources, { format: 'text' }));
    terminal.words(`${root}: not served`);
    log.close();
    worker?.leave();
    return started.problems.some(({ code }) => code === 'engine_broken') ? exitCodes.crash : exitCodes.problems;
  }
  const { gateway } = started;
  const { problems, sources } = gateway.warnings;
  if (problems.length > 0) terminal.words(formatProblems(problems, sources, { format: 'text' }));
  if (worker === undefined) announce(log, gateway);
  else worker.serving(gateway);
  const site = pages && (await serveSite(log, gateway.address, pages));
  const broken = await Promise.race([
    stopSignal(log, gateway, { parent, signals: worker?.signals ?? process }),
    gateway.broken,
  ]);
  if (broken !== undefined) {
    log.fatal({}, `stopping: ${broken.message}`);
    // Whatever hangs on the broken store, the process must not.
    setTimeout(() => process.exit(exitCodes.crash), lastResortMs).unref();
  }
  await Promise.all([gateway.close(), site?.close()]);
  log.info({}, 'stopped');
  log.close();
  worker?.leave();
  return broken === undefined ? exitCodes.fine : exitCodes.crash;
}

function announce(log: Log, gateway: Gateway): void {
  const { address, adminAddress, revision, gitCommit, isDirty: dirty } = gateway;
  log.info({ url: urlOf(address), admin: urlOf(adminAddress), revision, gitCommit, dirty }, 'serving');
}
