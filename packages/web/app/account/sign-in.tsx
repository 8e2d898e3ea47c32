import { type FormEvent, type JSX, useRef, useState } from "react";
import { Field } from "../ask/field.tsx";
import { Moon } from "../moon/moon.tsx";
import { usePage } from "../shell/use-page.ts";
import { useStack } from "../stack.ts";
import { accountErrorText } from "../texts/errors.ts";
import { type CredentialErrors, checkCredentials } from "./credentials.ts";

type Way = "sign-in" | "sign-up" | "guest";

/** Sign in, sign up, or try without an account. */
export function SignIn(): JSX.Element {
  const { supabase } = useStack();
  const heading = usePage("Welcome");
  const form = useRef<HTMLFormElement>(null);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [errors, setErrors] = useState<CredentialErrors>({});
  const [message, setMessage] = useState<{ tone: "bad" | "good"; text: string }>();
  const [busy, setBusy] = useState<Way>();

  const enter = async (way: Way) => {
    setMessage(undefined);
    setBusy(way);
    const credentials = { email: email.trim(), password };
    const { data, error } =
      way === "guest"
        ? await supabase.auth.signInAnonymously()
        : way === "sign-up"
          ? await supabase.auth.signUp(credentials)
          : await supabase.auth.signInWithPassword(credentials);
    setBusy(undefined);
    if (error) setMessage({ tone: "bad", text: accountErrorText(error) });
    else if (!data.session) {
      setMessage({ tone: "good", text: "Almost there: open the link in the mail we just sent you." });
    }
  };

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const found = checkCredentials(email, password);
    setErrors(found);
    if (found.email || found.password) {
      form.current?.querySelector<HTMLInputElement>(`[name=${found.email ? "email" : "password"}]`)?.focus();
      return;
    }
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
          <Field label="Email" error={errors.email}>
            {(control) => (
              <input
                {...control}
                data-testid="email"
                name="email"
                type="email"
                autoComplete="email"
                value={email}
                onChange={(event) => setEmail(event.target.value)}
              />
            )}
          </Field>
          <Field label="Password" error={errors.password}>
            {(control) => (
              <input
                {...control}
                data-testid="password"
                name="password"
                type="password"
                autoComplete="current-password"
                value={password}
                onChange={(event) => setPassword(event.target.value)}
              />
            )}
          </Field>
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
