import { type JSX, useState } from "react";
import { useStack } from "../stack.ts";
import { accountErrorText } from "../texts/errors.ts";

/** Who is signed in, and the way out. `onSignedOut` is for a wish to leave, not for a session that ended by itself. */
export function SignOut({ name, onSignedOut }: { name: string; onSignedOut: () => void }): JSX.Element {
  const { supabase } = useStack();
  const [failure, setFailure] = useState<string>();

  const signOut = async () => {
    // Only this browser: other devices keep their sessions.
    const { error } = await supabase.auth.signOut({ scope: "local" });
    if (error) setFailure(accountErrorText(error));
    else onSignedOut();
  };

  return (
    <>
      <span className="account" title={name}>
        {name}
      </span>
      <button type="button" className="button button-quiet" data-testid="sign-out" onClick={signOut}>
        Sign out
      </button>
      {failure && <p role="alert">{failure}</p>}
    </>
  );
}
