import { type FormEvent, type JSX, useId, useRef } from "react";
import { type Draft, type DraftField, longest, trimmed } from "./draft.ts";
import { Field } from "./field.tsx";
import { useAsk } from "./use-ask.ts";
import { localToday } from "./validate.ts";

/**
 * The form that asks for a reading. Once the server has taken it, `onAsked` gets the job's id; when the network is away,
 * `onKept` tells first that it waits to be sent.
 */
export function AskForm(props: {
  draft: Draft;
  onDraft: (draft: Draft) => void;
  onAsked: (jobId: string) => void;
  onKept: () => void;
}): JSX.Element {
  const { draft, onDraft, onAsked, onKept } = props;
  const title = useId();
  const form = useRef<HTMLFormElement>(null);
  const { ask, busy, errors, message } = useAsk(draft, onAsked);
  const change = (field: DraftField, value: string) => onDraft({ ...draft, [field]: value });
  const left = longest.question - trimmed(draft).question.length;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    const outcome = await ask();
    if (outcome.jobId !== undefined) onAsked(outcome.jobId);
    else if (outcome.kept) onKept();
    else if (outcome.firstWrong) {
      form.current?.querySelector<HTMLElement>(`[name=${outcome.firstWrong}]`)?.focus();
    }
  };

  return (
    <section className="card ask" aria-labelledby={title}>
      <h2 id={title}>Ask for a reading</h2>
      <form ref={form} onSubmit={submit} noValidate>
        <div className="ask-pair">
          <Field label="Name" error={errors.name}>
            {(control) => (
              <input
                {...control}
                data-testid="name"
                name="name"
                autoComplete="given-name"
                dir="auto"
                value={draft.name}
                onChange={(event) => change("name", event.target.value)}
              />
            )}
          </Field>
          <Field label="Day of birth" error={errors.birthDate}>
            {(control) => (
              <input
                {...control}
                data-testid="birth-date"
                name="birthDate"
                type="date"
                autoComplete="bday"
                max={localToday()}
                value={draft.birthDate}
                onChange={(event) => change("birthDate", event.target.value)}
              />
            )}
          </Field>
        </div>
        <Field
          label="Your question"
          error={errors.question}
          hint={
            left < 100
              ? `${left < 0 ? "Too long by" : "Room for"} ${Math.abs(left)} characters.`
              : "What is on your mind? You may leave this empty."
          }
        >
          {(control) => (
            <textarea
              {...control}
              data-testid="question"
              name="question"
              rows={3}
              dir="auto"
              value={draft.question}
              onChange={(event) => change("question", event.target.value)}
            />
          )}
        </Field>
        <Field label="Read to me by" error={errors.voice}>
          {(control) => (
            <select
              {...control}
              data-testid="voice"
              name="voice"
              value={draft.voice}
              onChange={(event) => change("voice", event.target.value)}
            >
              <option value="alto">Alto, a bright voice</option>
              <option value="bass">Bass, a deep voice</option>
            </select>
          )}
        </Field>
        {message && (
          <p className="message message-bad" role="alert">
            {message}
          </p>
        )}
        <button
          type="submit"
          className="button button-strong button-wide"
          data-testid="request"
          // Not `disabled`: that would take the focus from whoever pressed it.
          aria-disabled={busy}
        >
          {busy ? "Asking…" : "Ask for my reading"}
        </button>
        <p className="field-hint">
          Takes from seconds to minutes. You may close the page; the reading waits here.
        </p>
      </form>
    </section>
  );
}
