import { bodySteps, headGates, type Step } from '../../src/http/lifecycle.ts';
import { page, table } from './markdown.ts';

/** docs/lifecycle.md: the gates and steps of a request, in the order in which the gateway runs them. */
export function lifecyclePage(): string {
  return page(
    'src/http/lifecycle.ts',
    '# The life of a request',
    'A request to the public listener passes a list of gates, which read its headers only, and then a list of steps, which handle its body. Each of them answers the request or lets it go on. The order is the security model: a body is read only once the caller is known, unless a signature over that body is what identifies the caller, and a caller without a credential cannot find out what exists.',
    diagram(),
    '## Gates',
    listOf(headGates),
    '## Steps',
    listOf(bodySteps),
    '## After them',
    'Whichever gate or step answers, the rest happens in one place (`src/http/serve.ts`): the outcome is counted for [`/metrics`](operating.md#the-admin-listener) and the log, the request is recorded if it was chosen, and the reply is sent. Errors become `application/problem+json` ([error codes](reference/error-codes.md)). Replies that are ready in the same turn of the event loop leave together at its end. A header that a gate sets on the response leaves with every answer: a problem, a run, or a stream.',
    'Two answers are sent before there is a request, so no gate sees them: one for bytes that are not HTTP (400, 408 or 431), and one for `CONNECT` (400).',
    'A connection that closes after an answer lingers: it is half-closed and read on for a bounded while, so that the answer arrives although the client is still sending ([Behind a reverse proxy](operating.md#behind-a-reverse-proxy)). Nothing that arrives then is served.',
    'The config does not change during a request: it leases the snapshot that is current when it arrives, and a reload applies to the next request.',
  );
}

function diagram(): string {
  const chain = (steps: readonly Step[]) => `    ${steps.map(({ name }) => name).join(' --> ')}`;
  return [
    '```mermaid',
    'flowchart TD',
    '  request([request]) --> gates',
    '  subgraph gates [gates: headers only]',
    '    direction LR',
    chain(headGates),
    '  end',
    '  gates --> steps',
    '  subgraph steps [steps: the body]',
    '    direction LR',
    chain(bodySteps),
    '  end',
    '  fire -.- pipeline["filter → dedup → run → respond"]',
    '  gates -- answered --> after',
    '  steps -- answered --> after',
    '  after[count, record] --> reply([reply])',
    '```',
  ].join('\n');
}

function listOf(steps: readonly Step[]): string {
  return table(
    ['Name', 'What it does', 'Why there'],
    steps.map(({ name, does, why }) => [`\`${name}\``, does, why]),
  );
}
