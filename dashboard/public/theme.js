// Sets the theme before the first paint, so that a dark page never flashes light. `src/theme.ts` keeps it from then on.
(() => {
  let theme = "system";
  try {
    theme = localStorage.getItem("callboard.theme") ?? "system";
  } catch {
    // Without storage the system decides.
  }
  const isDark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", isDark);
})();
