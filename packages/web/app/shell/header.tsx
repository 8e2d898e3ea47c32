import type { User } from "@supabase/supabase-js";
import { type JSX, useMemo } from "react";
import { SignOut } from "../account/sign-out.tsx";
import { moonPhase } from "../moon/almanac.ts";
import { Moon } from "../moon/moon.tsx";
import { homeHref } from "../route.ts";
import { ThemeToggle } from "./theme-toggle.tsx";

/** The page's banner: name, tonight's moon, theme, who is signed in. */
export function Header({
  user,
  onSignedOut,
}: {
  user: User | undefined;
  onSignedOut: () => void;
}): JSX.Element {
  const moon = useMemo(() => moonPhase(new Date()), []);
  return (
    <header className="header">
      <a className="brand" href={homeHref}>
        <Moon lit={moon.lit} waxing={moon.waxing} mood="rest" />
        <span>
          Podbase <em>Almanac</em>
        </span>
      </a>
      <p className="tonight">
        <time>
          {new Date().toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long" })}
        </time>
        <span aria-hidden="true"> · </span>
        {moon.name}
      </p>
      <div className="header-tools">
        {user && (
          <SignOut
            name={user.is_anonymous ? "Guest" : (user.email ?? "Signed in")}
            onSignedOut={onSignedOut}
          />
        )}
        <ThemeToggle />
      </div>
    </header>
  );
}
