import { registerHooks } from 'node:module';

// GitHub's parser is made for bundlers: it imports JSON without saying so, which Node wants to be told.
registerHooks({
  load: (url, context, nextLoad) =>
    nextLoad(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context),
});
const [{ convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow }, { parseAction }] = await Promise.all([
  import('@actions/workflow-parser'),
  import('@actions/workflow-parser/actions/action-parser'),
]);

/** What GitHub has against a workflow. */
export async function workflowFaults(content: string): Promise<readonly string[]> {
  const { context, value } = parseWorkflow({ name: 'workflow.yml', content }, new NoOperationTraceWriter());
  if (value !== undefined) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}

/** What GitHub has against an action. */
export function actionFaults(content: string): readonly string[] {
  const { context } = parseAction({ name: 'action.yml', content }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}
