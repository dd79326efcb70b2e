#!/usr/bin/env node
import module from 'node:module';
import { join } from 'node:path';

// Imports nothing of ours before the version is known, and no name of Node's that an older one does not export: such an
// import would fail with a riddle.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 22)) {
  process.stderr.write(`pullcord needs Node.js 22.22 or newer; this is ${process.versions.node}.\n`);
  process.exit(2);
}
// Beside the code, where only who may change the code may write, for what is in the cache is run. Node's own choice is the
// folder for temporary files, where anybody may have made it ready. Who may not write there has no cache.
const root = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? '../..' : '../../..');
module.enableCompileCache(join(root, 'node_modules/.cache/pullcord'));
const { main } = await import('./main.ts');
// By then, failures of the last writes to stdout have been reported.
const code = await main(process.argv.slice(2));
process.exitCode ||= code;
