import { type FormEvent, type JSX, useRef, useState } from "react";
import { Field } from "../ask/field.tsx";
import { Moon } from "../moon/moon.tsx";
import { usePage } from "../shell/use-page.ts";
import { useStack } from "../stack.ts";
import { accountErrorText } from "../texts/errors.ts";
import { type CredentialErrors, type Credentials, checkCredentials } from "./credentials.ts";

type Way = "sign-in" | "sign-up" | "guest";

const fields = [
  { name: "email", label: "Email", autoComplete: "email" },
  { name: "password", label: "Password", autoComplete: "current-password" },
] as const;

/** Sign in, sign up, or try without an account. */
export function SignIn(): JSX.Element {
  const { supabase } = useStack();
  const heading = usePage("Welcome");
  const form = useRef<HTMLFormElement>(null);
  const [credentials, setCredentials] = useState<Credentials>({ email: "", password: "" });
  const [errors, setErrors] = useState<CredentialErrors>({});
  const [message, setMessage] = useState<{ tone: "bad" | "good"; text: string }>();
  const [busy, setBusy] = useState<Way>();

  const enter = async (way: Way) => {
    setMessage(undefined);
    setBusy(way);
    const trimmed = { ...credentials, email: credentials.email.trim() };
    const { data, error } =
      way === "guest"
        ? await supabase.auth.signInAnonymously()
        : way === "sign-up"
          ? await supabase.auth.signUp(trimmed)
          : await supabase.auth.signInWithPassword(trimmed);
    setBusy(undefined);
    if (error) setMessage({ tone: "bad", text: accountErrorText(error) });
    else if (!data.session) {
      setMessage({ tone: "good", text: "Almost there: open the link in the mail we just sent you." });
    }
  };

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const found = checkCredentials(credentials);
    setErrors(found);
    const wrong = fields.find(({ name }) => found[name]);
    if (wrong) return form.current?.querySelector<HTMLInputElement>(`[name=${wrong.name}]`)?.focus();
    const { submitter } = event.nativeEvent as SubmitEvent;
    void enter((submitter as HTMLButtonElement | null)?.value === "sign-up" ? "sign-up" : "sign-in");
  };

  return (
    <main id="main" tabIndex={-1} className="welcome">
      <section className="welcome-words">
        <div className="welcome-moon">
          <Moon lit={0.2} mood="rest" />
        </div>
        <h1 ref={heading} tabIndex={-1}>
          Ask the night a question
        </h1>
        <p className="lead">
          Tell us your name and the day you were born. A reading is written for you, spoken aloud and set on a
          page, while you watch.
        </p>
      </section>

      <section className="card welcome-form" aria-labelledby="welcome-form-title">
        <h2 id="welcome-form-title">Come in</h2>
        <form ref={form} onSubmit={submit} noValidate>
          {fields.map(({ name, label, autoComplete }) => (
            <Field key={name} label={label} error={errors[name]}>
              {(control) => (
                <input
                  {...control}
                  data-testid={name}
                  name={name}
                  type={name}
                  autoComplete={autoComplete}
                  value={credentials[name]}
                  onChange={({ target }) => setCredentials((before) => ({ ...before, [name]: target.value }))}
                />
              )}
            </Field>
          ))}
          {message && (
            <p className={`message message-${message.tone}`} role="alert">
              {message.text}
            </p>
          )}
          <div className="button-row">
            <button
              type="submit"
              value="sign-in"
              className="button button-strong"
              data-testid="sign-in"
              disabled={busy !== undefined}
            >
              {busy === "sign-in" ? "Signing in…" : "Sign in"}
            </button>
            <button
              type="submit"
              value="sign-up"
              className="button"
              data-testid="sign-up"
              disabled={busy !== undefined}
            >
              {busy === "sign-up" ? "Signing up…" : "Sign up"}
            </button>
          </div>
        </form>
        <p className="or">
          <span>or</span>
        </p>
        <button
          type="button"
          className="button button-wide"
          data-testid="guest"
          disabled={busy !== undefined}
          onClick={() => enter("guest")}
        >
          {busy === "guest" ? "One moment…" : "Try without an account"}
        </button>
        <p className="field-hint">Guest readings stay in this browser until you sign out.</p>
      </section>
    </main>
  );
}
