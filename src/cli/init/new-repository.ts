import type { CiService } from './ci-services.ts';
import { configFiles } from './config-files.ts';
import { editorFiles } from './editor-files.ts';
import { githubWorkflow } from './github-workflow.ts';
import { gitlabPipeline } from './gitlab-pipeline.ts';
import { readme } from './readme.ts';

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

/** All files of a new config repository. */
export function newRepositoryFiles(repository: NewRepository): readonly NewFile[] {
  return [...configFiles(repository), ...editorFiles(repository), ...ciFiles(repository), readme(repository)];
}

function ciFiles({ ci, version }: NewRepository): readonly NewFile[] {
  switch (ci) {
    case 'github':
      return [{ path: '.github/workflows/pullcord.yml', text: githubWorkflow(version) }];
    case 'gitlab':
      return [{ path: '.gitlab-ci.yml', text: gitlabPipeline(version) }];
    case 'none':
      return [];
  }
}
