/** React Native's way of telling the client that the app sleeps and wakes. Imports nothing: hand in what you have. */
import type { Lifecycle } from "./lifecycle.ts";

/** The part of React Native's `AppState` that is used. */
export interface AppStateLike {
  readonly currentState: string | null;
  addEventListener(type: "change", listener: (state: never) => void): { remove(): void };
}

/** The part of `@react-native-community/netinfo` that is used. */
export interface NetInfoLike {
  addEventListener(listener: (state: { isConnected: boolean | null }) => void): () => void;
}

/**
 * A {@link Lifecycle} from AppState and, if you have it, NetInfo: the client reads again when the app is back in the
 * foreground and when the network is back.
 *
 * @example
 * import { AppState } from "react-native";
 * import NetInfo from "@react-native-community/netinfo";
 * const podbase = createPodbase(supabase, { lifecycle: reactNativeLifecycle(AppState, NetInfo) });
 */
export const reactNativeLifecycle = (appState: AppStateLike, netInfo?: NetInfoLike): Lifecycle => ({
  // iOS has `inactive` for a moment during calls and the app switcher; `unknown` is Android's before the first change.
  isHidden: () => appState.currentState === "background",
  onWake(callback) {
    let connected = true;
    const stopState = appState.addEventListener("change", (state: string) => {
      if (state === "active") callback();
    });
    const stopNetwork = netInfo?.addEventListener(({ isConnected }) => {
      const before = connected;
      connected = isConnected !== false;
      if (connected && !before) callback();
    });
    return () => {
      stopState.remove();
      stopNetwork?.();
    };
  },
});
