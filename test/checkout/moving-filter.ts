import { basicFiles, projectFile, triggerFile, writeInto } from '../support/config-folder.ts';

/** Where the filter is that drops free customers. */
export type FilterPlace = 'project' | 'triggers';

const paying = { filter: [{ uses: 'jsonata', with: { expression: 'plan = "pro"' } }] };

/** The files of a project that change when its filter moves, in the order of a writer who opens the door in between. */
export function movedFiles(project: string, triggers: number, place: FilterPlace): Record<string, string> {
  const members = { project, ...(place === 'triggers' ? paying : {}) };
  const defaults = place === 'project' ? { defaults: paying } : {};
  const files = [
    [`${project}/project.yaml`, projectFile(project, defaults)],
    ...Array.from({ length: triggers }, (_, index) => [
      `${project}/triggers/t${index}.yaml`,
      triggerFile(`${project}-${index}`, { ...members, name: `${project} ${index}` }),
    ]),
  ];
  return Object.fromEntries(place === 'project' ? files.reverse() : files);
}

/** What stays the same. */
export function fixedFiles(): Record<string, string> {
  const { 'project.yaml': _, ...files } = basicFiles();
  return files;
}

export async function writeFiles(root: string, files: Record<string, string>): Promise<void> {
  for (const [file, text] of Object.entries(files)) await writeInto(root, file, text);
}
