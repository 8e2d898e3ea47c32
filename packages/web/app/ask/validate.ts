import { type Draft, type DraftErrors, type DraftField, draftFields, longest, trimmed } from "./draft.ts";

/**
 * Checks a draft before the server does, with texts that say what to do.
 *
 * @param today `YYYY-MM-DD` where the person is
 * @returns empty if the draft can be sent
 */
export function validateDraft(draft: Draft, today: string): DraftErrors {
  const { name, birthDate, question } = trimmed(draft);
  const errors: DraftErrors = {};
  if (name === "") errors.name = "Who is the reading for? A first name is enough.";
  else if (name.length > longest.name) {
    errors.name = `Please keep the name to ${longest.name} characters; it has ${name.length}.`;
  }
  if (birthDate === "") errors.birthDate = "Please choose the day of birth.";
  else if (!isDate(birthDate)) errors.birthDate = "That day isn't in the calendar. Please choose another.";
  else if (birthDate > today)
    errors.birthDate = "That day is still to come. Please choose one that has been.";
  if (question.length > longest.question) {
    errors.question = `Please shorten your question by ${question.length - longest.question} characters.`;
  }
  return errors;
}

/** An issue that the server found: where, as a path from the request's root, and what. */
export interface ServerIssue {
  path: readonly (string | number)[];
  message: string;
}

/** Puts the server's issues at the fields they speak of; `rest` are those that belong to none. */
export function placeIssues(issues: readonly ServerIssue[]): { errors: DraftErrors; rest: string[] } {
  const errors: DraftErrors = {};
  const rest: string[] = [];
  for (const { path, message } of issues) {
    const field = draftFields.find((name): name is DraftField => path[0] === "input" && path[1] === name);
    if (field) errors[field] ??= message;
    else rest.push(message);
  }
  return { errors, rest };
}

/** Today as `YYYY-MM-DD` in this person's time zone. */
export function localToday(now = new Date()): string {
  const two = (part: number) => String(part).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
