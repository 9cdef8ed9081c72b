/* /desk/phone with scripts: every form still posts to the server and gets the whole page; only its new parts are put in. Topics and
   danger are looked for while the operator types, the code's state now and then. */
"use strict";

(() => {
  const PARTS = ["refused", "result", "call", "end"];
  const WHILE_TYPING_MS = 450;
  const LOOK_MS = 3000;
  const TIME_LIMIT_MS = 12000;

  const ask = document.getElementById("ask");
  const question = document.getElementById("question");
  const language = document.getElementById("language");
  const state = document.getElementById("state");
  let newest = 0;
  let typing = 0;
  let shownFor = question.value;

  /* The answer of the server as a document; null when somebody must log in again. */
  async function load(address, options) {
    const answer = await fetch(address, { ...options, credentials: "same-origin", signal: AbortSignal.timeout(TIME_LIMIT_MS) });
    if (answer.redirected || answer.status === 401 || answer.status === 403) return null;
    if (answer.status !== 200 && answer.status !== 409) throw new Error(String(answer.status));
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  function put(page, parts) {
    for (const id of parts) {
      const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
      if (old && fresh && !old.isEqualNode(fresh)) old.replaceWith(document.adoptNode(fresh));
    }
  }

  /* What could be sent goes with the answer that is no longer shown; a code that is being typed stays. */
  function partsWhileTyping() {
    const isLinked = document.getElementById("call").dataset.state === "linked";
    return ["refused", "result", ...(isLinked ? ["call"] : [])];
  }

  function focusAfter(page, action) {
    if (page.getElementById("refused").matches(".alarm")) {
      const code = document.getElementById("code");
      if (action.endsWith("/link") && code) code.focus();
    } else question.focus();
  }

  async function post(form, submitter, isDraft) {
    const turn = (newest += 1);
    const fields = new URLSearchParams(new FormData(form));
    if (submitter && submitter.name) fields.set(submitter.name, submitter.value);
    if (isDraft) fields.set("draft", "1");
    const action = new URL(form.action).pathname;
    state.textContent = state.dataset.searching;
    if (submitter) submitter.setAttribute("aria-disabled", "true");
    try {
      const page = await load(action, { method: "POST", body: fields });
      if (turn !== newest) return;
      if (page === null) {
        state.textContent = state.dataset.over;
        return;
      }
      put(page, isDraft ? partsWhileTyping() : PARTS);
      shownFor = question.value;
      if (form !== ask) {
        question.value = page.getElementById("question").value;
        language.value = page.getElementById("language").value;
        focusAfter(page, action);
      }
      const found = document.querySelector("#result .answer") ? state.dataset.found : "";
      state.textContent = page.getElementById("state").textContent || found;
    } catch {
      if (turn === newest) state.textContent = state.dataset.lost;
    } finally {
      if (submitter) submitter.removeAttribute("aria-disabled");
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.action.startsWith(`${location.origin}/desk/phone`)) return;
    event.preventDefault();
    if (event.submitter && event.submitter.getAttribute("aria-disabled")) return;
    clearTimeout(typing);
    post(form, event.submitter, false);
  });

  question.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      if (question.value.trim() && question.value !== shownFor) post(ask, null, true);
    }, WHILE_TYPING_MS);
  });

  language.addEventListener("change", () => {
    const chosen = document.querySelector("[data-choice][aria-current]");
    if (question.value.trim()) post(ask, chosen, false);
  });

  /* ---- the keyboard: ↓ ↑ topics, Ctrl+Enter sends, Escape back to the question */

  function move(step) {
    const stops = [question, ...document.querySelectorAll("[data-choice]")];
    const at = stops.indexOf(document.activeElement);
    if (at < 0) return false;
    stops[Math.min(Math.max(at + step, 0), stops.length - 1)].focus();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const send = document.querySelector("[data-send]");
      if (send) send.requestSubmit(send.querySelector("button"));
    } else if (event.key === "Escape") question.focus();
    else if (event.key === "ArrowDown" && move(1)) event.preventDefault();
    else if (event.key === "ArrowUp" && move(-1)) event.preventDefault();
  });

  /* ---- the other side typed the code, ended the link, or half an hour is over */

  async function look() {
    const call = document.getElementById("call");
    if (!document.hidden && call.dataset.state !== "none" && !call.contains(document.activeElement)) {
      const before = call.dataset.state;
      try {
        const page = await load("/desk/phone/call", {});
        if (page === null) state.textContent = state.dataset.over;
        else if (page.getElementById("call").dataset.state !== before) {
          put(page, ["call"]);
          state.textContent = page.querySelector("#call .good strong")?.textContent || "";
          if (question.value.trim() && document.querySelector("#result .answer")) {
            post(ask, document.querySelector("[data-choice][aria-current]"), false);
          }
        }
      } catch {
        /* The next look will tell. */
      }
    }
    setTimeout(look, LOOK_MS);
  }

  setTimeout(look, LOOK_MS);
})();
