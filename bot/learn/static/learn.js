/* Keys of /learn. Without this script everything is reached with Tab and Enter. */
(() => {
  "use strict";
  const links = [...document.querySelectorAll(".groups h2 a")];

  function step(by) {
    const at = links.indexOf(document.activeElement);
    const next = links[Math.min(Math.max(at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by, 0), links.length - 1)];
    if (next) next.focus();
  }

  function press(key) {
    const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!target) return false;
    target.focus(); // a decision is pressed, never taken by a stray key: Enter does it
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
    if (event.key === "Escape") {
      if (typing) typing.blur();
      else document.getElementById("back")?.click();
      return;
    }
    if (typing) return;
    const key = event.key.toLowerCase();
    if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "/" && document.getElementById("q")) document.getElementById("q").focus();
    else if (!press(key)) return;
    event.preventDefault();
  });
})();
