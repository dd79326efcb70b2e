/** How many runs a gateway has stored, by its admin listener. */
export async function storedRuns(adminUrl: string): Promise<number> {
  const { runs } = (await (await fetch(`${adminUrl}/runs`)).json()) as { runs: readonly unknown[] };
  return runs.length;
}
