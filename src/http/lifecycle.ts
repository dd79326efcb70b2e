import type { MaybePromise, Reply } from '../contract/index.ts';
import type { Call } from './call.ts';
import { admit } from './gates/admit.ts';
import { completion } from './gates/completion.ts';
import { cors } from './gates/cors.ts';
import { limits } from './gates/limits.ts';
import { declaredLength, expectation, host, method, transferCoding } from './gates/protocol.ts';
import { route } from './gates/route.ts';
import { run } from './gates/run-resource.ts';
import { token } from './gates/token.ts';
import { visitor } from './gates/visitor.ts';
import { fire } from './steps/fire.ts';
import { read } from './steps/read.ts';
import { resume } from './steps/resume.ts';

/** One gate or step of a request's life. */
export interface Step {
  readonly name: string;
  /** What it decides. */
  readonly does: string;
  /** Why it stands where it stands. */
  readonly why: string;
  /** Answers the request, or lets it go on with undefined. Returns a promise only if it has to wait. */
  readonly run: (call: Call) => MaybePromise<Reply | undefined>;
}

/** Decide from the headers whether the body is read at all. The order is the security model: docs/lifecycle.md. */
export const headGates: readonly Step[] = [
  {
    name: 'expectation',
    does: 'Refuses an `Expect` header other than `100-continue`.',
    why: 'First, since the client waits for this answer before it sends its body.',
    run: expectation,
  },
  {
    name: 'host',
    does: 'Refuses an HTTP/1.1 request without `Host`, and any with several.',
    why: 'Before anything reads the address: RFC 9112 §3.2 calls such requests invalid.',
    run: host,
  },
  {
    name: 'cors',
    does: 'Answers preflights, and lets pages of the declared origins read the answer.',
    why: 'Before any answer that a page should be able to read, and before authentication: a preflight has no credential.',
    run: cors,
  },
  {
    name: 'length',
    does: 'Refuses a `Content-Length` above `server.bodyLimit`.',
    why: 'Before authentication: it is decided from the headers alone, and alike for every address.',
    run: declaredLength,
  },
  {
    name: 'coding',
    does: 'Refuses a `Transfer-Encoding` other than `chunked`.',
    why: 'Before the body has a meaning: a proxy in front might undo what the gateway does not. `Content-Encoding` is for the step `read`.',
    run: transferCoding,
  },
  {
    name: 'route',
    does: 'Finds out what the address means: a trigger, a run, or the completion of a run.',
    why: 'Before whatever depends on the address. It asks only for the form, so that it does not reveal what exists.',
    run: route,
  },
  {
    name: 'completion',
    does: 'Answers what an agent posts to the `completionUrl` of a run.',
    why: 'Before `admit`: the run plugin authenticates its agent, and an agent has no API key.',
    run: completion,
  },
  {
    name: 'visitor',
    does: 'Answers a challenge, or a short-lived token for its solution, to a page without a credential, where the trigger lets visitors in.',
    why: 'Before `admit`: a visitor has no credential yet. Any other request continues unchanged, so that it does not reveal which triggers exist.',
    run: visitor,
  },
  {
    name: 'admit',
    does: 'Authenticates the caller, and checks its permissions, the project and the trigger. From here on, the `cors` of the trigger counts.',
    why: 'Before anything of the body is read or anything about the trigger is answered. Only a signature makes it read the body first.',
    run: admit,
  },
  {
    name: 'limits',
    does: 'Counts the request, and refuses it if a limit of `requests` has no room.',
    why: 'After `admit`: only now are caller and trigger known. Before anything costs more than this, such as reading the body.',
    run: limits,
  },
  {
    name: 'run',
    does: 'Answers a read or a cancellation of a run.',
    why: 'After `admit`, since a run is for its caller alone; before `method`, since it has methods of its own.',
    run,
  },
  {
    name: 'method',
    does: 'Refuses any method but `POST`.',
    why: 'After `admit`: a caller without a credential gets 401 whatever the method is.',
    run: method,
  },
  {
    name: 'token',
    does: 'Issues a short-lived token.',
    why: 'After `admit` and `method`: a key issues tokens of its own triggers. Before the steps, since it fires nothing.',
    run: token,
  },
];

/** What happens to a request that fires a trigger, once its caller is known. */
export const bodySteps: readonly Step[] = [
  {
    name: 'read',
    does: 'Reads the body within `body.limit` and `server.memory`, decodes it, parses it strictly in a format that the trigger accepts, and checks the known members unless they are the sender’s own.',
    why: 'After all gates: the body of a refused request is not read.',
    run: read,
  },
  {
    name: 'resume',
    does: 'Continues the stream of a run for a request with `Last-Event-ID`.',
    why: 'After `read`, so that the connection can be reused; before `fire`, so that it does not fire again.',
    run: resume,
  },
  {
    name: 'fire',
    does: 'Runs filter, dedup, run and respond.',
    why: 'Last: it always answers.',
    run: fire,
  },
];
