import type { AdminTokenDocument } from '../config/documents.gen.ts';
import type { AdminRole } from '../config/model.ts';
import { existingFolder } from './config-option.ts';
import { withAdminToken } from './key-file/add-admin-token.ts';
import { findGatewayFiles } from './key-file/find-key-files.ts';
import { replaceFile } from './key-file/replace-file.ts';
import { createSecret, digestOf } from './key-secret.ts';
import { type ExitCode, exitCodes, terminal } from './terminal.ts';

export interface NewAdminToken {
  readonly id: string;
  readonly role: AdminRole;
  readonly expires: string | undefined;
  readonly note: string | undefined;
  readonly format: 'text' | 'json';
}

/** As many as the schema of the file allows. */
const mostTokens = 100;

/** Makes a token of the admin listener, adds its hash to the Gateway file and prints it, this once. */
export async function addAdminToken(root: string, created: NewAdminToken): Promise<ExitCode> {
  const { id, role, expires, note, format } = created;
  const [found, ...others] = await findGatewayFiles(existingFolder(root));
  if (found === undefined) return refuse(`no file in ${root} declares the Gateway`);
  if (others.length > 0) {
    const files = [found, ...others].map(({ file }) => file).join(', ');
    return refuse(`several files declare a Gateway: ${files}. Remove all but one`);
  }
  const { file } = found;
  const { document, text } = found.checked;
  if (document?.kind !== 'Gateway') {
    return refuse(`${file} has errors, which \`pullcord validate\` shows. Correct them first`);
  }
  const { admin } = document;
  if (admin.tokens.some((token) => token.id === id) || (id === 'token' && admin.token !== undefined)) {
    return refuse(`the admin token ${id} exists already (${file}). Choose another id`);
  }
  if (id === 'loopback') return refuse('the id loopback names requests without a token. Choose another id');
  if (admin.tokens.length >= mostTokens) {
    return refuse(`${file} has ${mostTokens} admin tokens, the most possible. Remove those that are not used`);
  }
  const secret = createSecret('admin');
  const token: AdminTokenDocument = {
    ...{ id, role, hash: `sha256:${digestOf(secret)}` },
    ...(expires !== undefined && { expires }),
    ...(note !== undefined && { note }),
  };
  const edited = withAdminToken(text, document, token);
  if (edited === undefined) {
    return refuse(`the notation of \`admin\` in ${file} cannot be edited: write \`tokens: []\` into it first`);
  }
  if (!(await replaceFile(file, text, edited))) {
    return refuse(`${file} was changed by somebody else at the same time. Run the command again`);
  }
  if (format === 'json') {
    terminal.data(JSON.stringify({ id, role, secret, file, document: token }, undefined, 2));
    return exitCodes.fine;
  }
  terminal.words(`The admin token ${id}. It is shown this once and stored nowhere: hand it to the operator now.`);
  terminal.data(secret);
  terminal.words(`Added to ${file} with the role ${role}: commit and deploy it.`);
  terminal.words('Commands send it from PULLCORD_ADMIN_TOKEN.');
  if (admin.token === undefined && admin.tokens.length === 0) {
    terminal.words('From then on every request to the admin listener needs a token, also from this machine.');
  }
  return exitCodes.fine;
}

function refuse(message: string): ExitCode {
  terminal.words(`error: ${message}; nothing was written`);
  return exitCodes.problems;
}
