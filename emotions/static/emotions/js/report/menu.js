// A menu that opens in place closes as menus do: by Escape, and by a press elsewhere.

const open = () => document.querySelectorAll("details.menu[open]");

export function closesMenus() {
  document.addEventListener("click", ({ target }) => {
    for (const menu of open()) if (!menu.contains(target)) menu.open = false;
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
