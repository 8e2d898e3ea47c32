/** What every measured job asks for: some 170 bytes, as a small form would send. */
export const INPUT = {
  name: "Ada Lovelace",
  birthDate: "1990-12-10",
  question: "What should I give my attention to this year, and what may wait for another?",
  voice: "alto",
};

/** What every measured job gives: 300 bytes. */
export const OUTPUT = { text: "All that glitters is measured twice. ".repeat(8).slice(0, 288) };

/** How many users the seeded jobs belong to. */
export const USERS = 1000;

/** The id of seeded user `n`, which SQL computes in the same way. */
export const userId = (n: number): string =>
  `00000000-0000-4000-8000-${(n % USERS).toString(16).padStart(12, "0")}`;
