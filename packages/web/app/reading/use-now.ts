import { useEffect, useState } from "react";
import { useStack } from "../stack.ts";

/** The server's time in milliseconds since the epoch, moving each second while `ticking`. */
export function useNow(ticking: boolean): number {
  const { podbase } = useStack();
  const [now, setNow] = useState(podbase.now);
  useEffect(() => {
    if (!ticking) return;
    setNow(podbase.now());
    const timer = setInterval(() => setNow(podbase.now()), 1000);
    return () => clearInterval(timer);
  }, [podbase, ticking]);
  return now;
}
