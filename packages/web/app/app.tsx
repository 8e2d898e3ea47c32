import { type JSX, useState } from "react";
import { SignIn } from "./account/sign-in.tsx";
import { useSession } from "./account/use-session.ts";
import { type Draft, emptyDraft } from "./ask/draft.ts";
import { Readings } from "./readings.tsx";
import { go, homeHref } from "./route.ts";
import { Footer } from "./shell/footer.tsx";
import { Header } from "./shell/header.tsx";

/** The whole page: header, whatever the person's session and the URL ask for, footer. */
export function App(): JSX.Element {
  const session = useSession();
  // Up here, so that what was typed survives a look at another page or a lost session.
  const [draft, setDraft] = useState<Draft>(emptyDraft);

  // The next person at this browser finds nothing of the last one.
  const forget = () => {
    setDraft(emptyDraft);
    go(homeHref);
  };

  return (
    <>
      <button type="button" className="skip-link" onClick={skipToMain}>
        Skip to the content
      </button>
      <Header user={session?.user} onSignedOut={forget} />
      {session === undefined && (
        <main id="main" aria-busy="true">
          <p className="session-wait">
            One moment. If you are offline, your readings are here once you are back.
          </p>
        </main>
      )}
      {session === null && <SignIn />}
      {session && <Readings key={session.user.id} draft={draft} onDraft={setDraft} />}
      <Footer />
    </>
  );
}

/** Not a link to `#main`: the hash is the route. */
function skipToMain(): void {
  document.getElementById("main")?.focus();
}
