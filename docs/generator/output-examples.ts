import type { outputSchemas } from '../../schemas/generator/output-schemas.ts';
import { explainRequest } from '../../src/review/explain.ts';
import { formatExplanationJson } from '../../src/review/explanation-json.ts';
import { type OpenConfig, openConfig } from '../../src/review/open-config.ts';
import { formatPlan, runPlan } from '../../src/review/plan/result.ts';
import { triableRequest } from '../../src/review/recorded-requests.ts';
import { Rehearsal } from '../../src/review/rehearsal.ts';
import { requestOfLine } from '../../src/review/request-source.ts';
import { runTests } from '../../src/review/run-tests.ts';
import { formatTestJson } from '../../src/review/test-report-json.ts';
import { exportLine } from '../../src/runtime/recording/recorded-request-json.ts';
import { type ExampleConfig, exampleRequest, withExampleConfig } from './example-config.ts';

export type OutputName = keyof typeof outputSchemas;

/** An example of each output, made by the code that makes it for users. */
export function outputExamples(): Promise<Readonly<Record<OutputName, object>>> {
  return withExampleConfig(async (config) => {
    const opened = await openConfig(config.after);
    if (!opened.ok) throw new Error(`the config of the examples has problems: ${JSON.stringify(opened.problems)}`);
    try {
      return {
        'test-report': await testExample(opened, config),
        explanation: await explanationExample(opened, config),
        plan: await planExample(config),
        'recorded-request': JSON.parse(line),
      };
    } finally {
      await opened.close();
    }
  });
}

const line = exportLine(exampleRequest);
const request = requestOfLine(line, exampleRequest.id);

async function testExample({ snapshot, sources }: OpenConfig, config: ExampleConfig): Promise<object> {
  const report = await runTests(snapshot, { filter: 'support' });
  // Whatever this machine took for it.
  return read(formatTestJson({ ...report, durationMs: 4 }, sources), config);
}

async function explanationExample({ snapshot, sources }: OpenConfig, config: ExampleConfig): Promise<object> {
  const explanation = await explainRequest(new Rehearsal(snapshot), triableRequest(request));
  return read(formatExplanationJson(explanation, sources), config);
}

async function planExample(config: ExampleConfig): Promise<object> {
  const result = await runPlan({
    base: { root: config.before, label: 'main', shownAs: config.after },
    head: { root: config.after, label: 'config' },
    requests: [request],
    showBodies: false,
    now: exampleRequest.receivedAt,
  });
  if (!result.ok) throw new Error(`the configs of the examples have problems: ${JSON.stringify(result.problems)}`);
  return read(formatPlan(result.plan, result.sources, { format: 'json' }), config);
}

/** What was printed, with places as they are where the config is not in a folder that comes and goes. */
function read(printed: string, { after }: ExampleConfig): object {
  return JSON.parse(printed.replaceAll(after, 'config'));
}
