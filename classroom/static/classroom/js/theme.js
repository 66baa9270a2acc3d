// Runs in <head>, before anything is painted, so that a chosen theme never flashes. A plain script, not a module: modules wait.
(() => {
  const KEY = "theme"; // Django admin's own: a theme chosen there counts here, too, and the other way round.
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  function stored() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // Storage may be switched off; the system's theme then stands.
    }
  }

  function store(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Not remembered: the choice lasts as long as the page.
    }
  }

  const current = () => root.dataset.theme || (system.matches ? "dark" : "light");

  function label(button) {
    const other = current() === "dark" ? "light" : "dark";
    button.textContent = other === "dark" ? "Dark theme" : "Light theme";
  }

  function toggle(button) {
    root.dataset.theme = current() === "dark" ? "light" : "dark";
    store(root.dataset.theme);
    label(button);
    document.dispatchEvent(new CustomEvent("themechange")); // Charts take their colours from the tokens again.
  }

  const chosen = stored();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-toggle]");
    if (!button) return;
    label(button);
    button.hidden = false;
    button.addEventListener("click", () => toggle(button));
    system.addEventListener("change", () => {
      label(button);
      document.dispatchEvent(new CustomEvent("themechange"));
    });
  });
})();
