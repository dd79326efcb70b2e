import type { CiService } from './ci-services.ts';

export interface NewRepository {
  readonly organization: string;
  readonly project: string;
  /** Id of the one API key, and the text of its file. */
  readonly apiKey: { readonly id: string; readonly yaml: string };
  readonly ci: CiService;
  /** The version of Pullcord that its CI runs. */
  readonly version: string;
  /** The JSON Schemas of config files for editors, by name. */
  readonly schemas: Readonly<Record<string, object>>;
}

export interface NewFile {
  /** Below the folder of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}
