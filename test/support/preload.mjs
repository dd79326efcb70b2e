// What every file of tests loads first, by .taprc: with it the tests take half as long. JavaScript, so that it needs no
// compiler.
import module from 'node:module';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

// Of the tests, and of the commands that they start: to strip the types of all modules takes longer than most tests.
const cache = join(import.meta.dirname, '../../node_modules/.cache/pullcord');
module.enableCompileCache(cache);
process.env.NODE_COMPILE_CACHE = cache;

delete process.env.NODE_OPTIONS;

// Tap reads it when a test first imports it; patience.ts scales the other deadlines.
const { PULLCORD_TEST_PATIENCE: patience, TAP_TIMEOUT: timeout } = process.env;
if (patience && timeout) process.env.TAP_TIMEOUT = String(Number(timeout) * Number(patience));

const standIn = (source) => ({ url: `data:text/javascript,${source}`, shortCircuit: true });
const standIns = {
  // Tap follows every promise to tell of which test an error is that nobody catches. Such an error ends the file instead.
  'async-hook-domain': standIn('export class Domain { destroy() {} }'),
  // Tap notes each module that a test loads, for coverage, and has every process that a test starts do so, even one that
  // is to inherit nothing. That takes longer than a command itself, and what is tested would not be what runs.
  '@tapjs/processinfo': standIn('export class ProcessInfo {}'),
};
const processInfo = /\/@tapjs\/processinfo\/dist\/esm\/import\.mjs$/;
module.registerHooks({
  resolve(specifier, context, next) {
    if (processInfo.test(specifier)) return standIn('');
    return standIns[specifier] ?? next(specifier, context);
  },
});

// Such an error is on stderr, apart from the results. failures-last.ts repeats these comments at the failure.
if (isMainThread) {
  process.on('uncaughtExceptionMonitor', (error) => {
    const lines = String(error?.stack ?? error).split('\n');
    process.stdout.write(lines.map((line) => `# Uncaught: ${line}\n`).join(''));
  });
}
