import { configFiles } from './config-files.ts';
import { editorFiles } from './editor-files.ts';
import { githubWorkflow } from './github-workflow.ts';
import { gitlabPipeline } from './gitlab-pipeline.ts';
import type { NewFile, NewRepository } from './new-file.ts';
import { readme } from './readme.ts';

/** All files of a new config repository. */
export function newRepositoryFiles(repository: NewRepository): readonly NewFile[] {
  return [...configFiles(repository), ...editorFiles(repository), ...ciFiles(repository), readme(repository)];
}

function ciFiles({ ci, packageSpec }: NewRepository): readonly NewFile[] {
  switch (ci) {
    case 'github':
      return [{ path: '.github/workflows/pullcord.yml', text: githubWorkflow(packageSpec) }];
    case 'gitlab':
      return [{ path: '.gitlab-ci.yml', text: gitlabPipeline(packageSpec) }];
    case 'none':
      return [];
  }
}
