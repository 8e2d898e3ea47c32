/** Does `work` for every item, at most `limit` at once. What one throws stops no other; the first is thrown at the end. */
export async function inParallel<T>(
  items: T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const thrown: unknown[] = [];
  await Promise.all(
    Array.from({ length: Math.min(limit, items.length) }, async () => {
      for (const item of queue) await work(item).catch((error) => thrown.push(error));
    }),
  );
  if (thrown.length > 0) throw thrown[0];
}
