// LangGraph's in-memory server over the graphs beside it. It works in the current folder, and tells where it listens.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// The server is a package that LangGraph's command line keeps to itself.
const { resolve } = createRequire(import.meta.resolve('@langchain/langgraph-cli/package.json'));
const { startServer } = await import(pathToFileURL(resolve('@langchain/langgraph-api/server')).href);
const names = ['echo', 'fetching', 'asking', 'doubting', 'broken', 'showing'];
const { host } = await startServer({
  port: 0,
  host: '127.0.0.1',
  // Each looks for work about twice a second: more of them find it sooner.
  nWorkers: 40,
  cwd: process.cwd(),
  graphs: Object.fromEntries(names.map((name) => [name, `${join(import.meta.dirname, 'graphs.ts')}:${name}`])),
});
console.log(`listening on ${host}`);
// Whoever started it may be killed without a chance to end it.
process.stdin.resume().once('end', () => process.exit());
