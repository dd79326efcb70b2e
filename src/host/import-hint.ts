const npmInstall = (name: string) => `Run npm install in the plugin's folder, with ${name} in its package.json.`;
const asModule =
  'Node reads it as CommonJS: write "type": "module" into the package.json of its folder, or name the file *.mjs (*.mts).';

/** What loaders of modules say, and what to do about it. */
const hints: readonly (readonly [RegExp, (found: RegExpExecArray) => string])[] = [
  [
    /Cannot find (?:package|module) 'pullcord(?:\/[^']*)?'/,
    () =>
      "Run npm install in the plugin's folder, with the path of Pullcord's tarball or checkout: npm install ../pullcord. " +
      'It is not published on the npm registry: its name alone would install a package of somebody else.',
  ],
  [/Cannot find package '([^']+)'/, ([, name = 'it']) => npmInstall(name)],
  [
    /Cannot find module '(?:\.|\/|file:)/,
    () => 'Check the path. Imports of files need their extension, and TypeScript is imported as it is named: ./a.ts.',
  ],
  [/Cannot find module '([^']+)'/, ([, name = 'it']) => npmInstall(name)],
  [
    /Package subpath|not defined by "exports"/,
    () => 'Plugins import pullcord/plugin, pullcord/run and pullcord/filter.',
  ],
  [/Unexpected token 'export'|Cannot use import statement|Unexpected token 'import'/, () => asModule],
  [
    /(?:require|module|exports|__dirname) is not defined/,
    () => 'Node reads it as an ES module: write import and export default, or name the file *.cjs.',
  ],
  [
    /under node_modules/,
    () => 'Node does not run TypeScript from node_modules: compile the package to JavaScript before it is published.',
  ],
  [/Unknown file extension/, () => 'Name the file *.js, *.mjs or *.ts.'],
  [
    /TypeScript (?:enum|namespace|parameter property)|is not supported in strip-only mode/,
    () => 'Node only strips types: write it without enum, namespace and parameter properties, or compile it.',
  ],
  [/does not provide an export named/, () => 'Check the name, and import types with import type.'],
];

/** What to do about a plugin that cannot be imported; undefined if its message says all. */
export function importHint(message: string): string | undefined {
  for (const [pattern, hint] of hints) {
    const found = pattern.exec(message);
    if (found !== null) return hint(found);
  }
  return undefined;
}
