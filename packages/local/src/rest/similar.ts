function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The candidate most like `word` by edit distance, if it is alike enough (0 … 1); for hints in errors. */
export function mostSimilar(word: string, candidates: Iterable<string>, atLeast: number): string | undefined {
  let best: string | undefined;
  let bestScore = atLeast;
  for (const candidate of candidates) {
    const score = 1 - distance(word, candidate) / Math.max(word.length, candidate.length, 1);
    if (score >= bestScore && (best === undefined || score > bestScore)) {
      best = candidate;
      bestScore = score;
    }
  }
  return best;
}
