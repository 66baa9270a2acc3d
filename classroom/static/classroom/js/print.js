// Buttons that print their page.

for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
