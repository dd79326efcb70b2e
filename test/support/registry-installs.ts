/** Where commands and files would get a package of this name from a public registry. */
const patterns = [
  // npm, pnpm, yarn and bun, with the bare name or a version of it. `./pullcord` and `@scope/pullcord` are no match.
  /\b(?:npm|pnpm|yarn|bun)[ \t]+(?:(?:global|--?[\w-]+)\s+)*(?:i|in|install|add|ci)\b(?:[ \t]+[^\s|;&`]+)*?[ \t]+["']?pullcord(?:@[^\s/:"'`]*)?["']?(?=$|[\s`;&|)])/gm,
  // These run what is installed, and else install it; `--no` prevents that.
  /\b(?:npx|bunx|(?:npm|pnpm|yarn|bun)[ \t]+(?:exec|x|dlx|create))\b(?!(?:[ \t]+--?[\w=-]+)*[ \t]+--no(?:-install)?\b)(?:[ \t]+--?[\w=-]+)*[ \t]+["']?pullcord\b(?![\w/.-])/gm,
  // A variable that a workflow installs.
  /\bPULLCORD\s*[:=]\s*["']?pullcord(?:@[^\s/:"']*)?["']?(?=$|\s)/gm,
  // A dependency of a package.json.
  /"pullcord"\s*:\s*"(?:[\^~]?\d|\*|latest|next|x)/gm,
  // Names of others on GitHub and Docker Hub.
  /\buses:\s*["']?pullcord\//gm,
  /\bimage:\s*["']?pullcord(?=$|[\s:@/"'])/gm,
  /\bdocker\s+(?:run|pull)\b[^\n`]*\s["']?pullcord(?=$|[\s:@/"'`])/gm,
];

/** Returns what would install or run the name `pullcord` of a public registry. */
export function registryInstalls(text: string): readonly string[] {
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([found]) => found));
}
