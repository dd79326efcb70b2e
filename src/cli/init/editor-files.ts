import type { NewFile, NewRepository } from './new-file.ts';

/**
 * Settings for editors and git. No settings map files to schemas: each file names its own in its first line, which
 * works in every editor with a YAML language server, and without a network.
 */
export function editorFiles({ schemas }: NewRepository): readonly NewFile[] {
  return [
    ...Object.entries(schemas).map(([name, schema]) => ({ path: `schemas/${name}.schema.json`, text: json(schema) })),
    { path: '.vscode/extensions.json', text: json({ recommendations: ['redhat.vscode-yaml'] }) },
    { path: '.vscode/settings.json', text: json(settings) },
    { path: '.gitignore', text: gitignore },
    { path: '.gitattributes', text: gitattributes },
  ];
}

const settings = {
  'yaml.validate': true,
  'yaml.hover': true,
  'yaml.completion': true,
  '[yaml]': { 'editor.tabSize': 2, 'editor.insertSpaces': true, 'editor.quickSuggestions': { strings: true } },
  'files.insertFinalNewline': true,
};

const gitignore = `# The journal: runs, claims and recorded requests of a gateway that was started here
/config/data/
# Exports of recorded requests: what callers sent, except for masked values
*.jsonl
node_modules/
`;

const gitattributes = `# The revision of a config is a hash of its bytes: they must be the same on every machine
*.yaml text eol=lf
*.yml text eol=lf
schemas/*.schema.json linguist-generated=true
`;

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
