/**
 * Where a test's chance comes from: `PODBASE_SEED` where it is set. Else the short mode, which judges a change, has the same
 * one for all changes; the long one goes looking for what nobody thought of, and says with which.
 */
export function seedOf(isLong: boolean): number {
  const { PODBASE_SEED } = process.env;
  if (PODBASE_SEED !== undefined) return Number(PODBASE_SEED);
  if (!isLong) return 20261;
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`PODBASE_SEED=${seed}`);
  return seed;
}
