/* Copies a link. Without this script the link stands in its field, to be selected. */
(() => {
  "use strict";
  const said = document.getElementById("copy-said");

  async function copy(field) {
    if (navigator.clipboard) return navigator.clipboard.writeText(field.value);
    field.select(); // plain http knows no clipboard
    if (!document.execCommand("copy")) throw new Error("not copied");
    return undefined;
  }

  for (const button of document.querySelectorAll("button[data-copy]")) {
    const label = button.textContent;
    let timer = 0;
    button.hidden = false;
    button.addEventListener("click", async () => {
      clearTimeout(timer);
      try {
        await copy(document.getElementById(button.dataset.copy));
        button.textContent = button.dataset.done;
        said.textContent = button.dataset.done;
        timer = setTimeout(() => { button.textContent = label; said.textContent = ""; }, 3000);
      } catch (_) {
        document.getElementById(button.dataset.copy).select();
        said.textContent = button.dataset.failed;
      }
    });
  }
})();
