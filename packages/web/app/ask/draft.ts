import type { ReadingInput } from "../reading-job.ts";

/** The form's content. Other than a reading's input, it may still be wrong. */
export type Draft = ReadingInput;

/** A field of the form; server-side issues name it by the same word. */
export type DraftField = keyof Draft;

/** Texts for the fields that need another look. */
export type DraftErrors = Partial<Record<DraftField, string>>;

/** The fields in the form's order. */
export const draftFields: readonly DraftField[] = ["name", "birthDate", "question", "voice"];

/** Lengths that the job kind allows. */
export const longest = { name: 80, question: 500 };

/** A form nobody has touched. */
export const emptyDraft: Draft = { name: "", birthDate: "", question: "", voice: "alto" };

/** The draft as it is sent: without blanks around it. */
export function trimmed(draft: Draft): Draft {
  return { ...draft, name: draft.name.trim(), question: draft.question.trim() };
}
