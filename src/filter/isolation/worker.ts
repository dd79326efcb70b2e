/** A sandboxed process that evaluates expressions one at a time, and is killed when one takes too long. */
import { interpret } from './interpreter.ts';
import { serveJobs } from './serve-jobs.ts';

serveJobs(interpret);
