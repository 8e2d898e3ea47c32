// Puts the theme this person chose on the page; without one, the system's is used. See shell/theme.ts.
(() => {
  try {
    const theme = localStorage.getItem("podbase-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is blocked: the system's theme it is.
  }
})();
