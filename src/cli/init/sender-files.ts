import { configScalar } from './config-scalar.ts';
import type { NewFile } from './new-file.ts';
import type { Sender } from './senders/sender.ts';

/** The trigger of a sender, with its tests. */
export function senderFile({ trigger, name }: Sender, project: string): NewFile {
  return {
    path: `config/projects/${project}/triggers/${name}.yaml`,
    text: `# yaml-language-server: $schema=../../../../schemas/trigger.schema.json
version: 1
kind: Trigger
project: ${configScalar(project)}
${trigger}`,
  };
}

/** How to set up a sender and to try its trigger without it, in Markdown. */
export function senderSteps({ name, title, secretVariable, setUp, tryWith }: Sender, project: string): string {
  const variable = secretVariable === undefined ? [] : [`export ${secretVariable}=…   # the gateway needs it as well`];
  const sign = secretVariable === undefined ? '' : ` --sign ${name}`;
  return `### ${title}

${setUp}

To try its trigger, \`https://…/api/v1.0/project/${project}/trigger/${name}\`, without it:

\`\`\`sh
${[...variable, `pullcord send ${project}/${name}${sign} ${tryWith}`].join('\n')}
\`\`\`
`;
}
