/** Resolves as soon as the statement is true. For tests with real processes and sockets, where no clock can be moved. */
export async function eventually(
  statement: () => boolean | Promise<boolean>,
  meaning: string,
  withinMs = 5_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await statement())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${meaning}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
