import type { CiService } from './ci-services.ts';
import type { Sender } from './senders/sender.ts';

export interface NewRepository {
  readonly organization: string;
  readonly project: string;
  /** Id of the one API key, and the text of its file. */
  readonly apiKey: { readonly id: string; readonly yaml: string };
  readonly ci: CiService;
  /** The version of Pullcord that writes it. */
  readonly version: string;
  /** What npm installs in its CI; undefined: the user must fill it in. */
  readonly packageSpec: string | undefined;
  /** Senders of webhooks, each with a trigger. */
  readonly senders: readonly Sender[];
  /** The JSON Schemas of config files for editors, by name. */
  readonly schemas: Readonly<Record<string, object>>;
}

export interface NewFile {
  /** Below the folder of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}
