/* Loa's desk: live rows and messages, sending without losing a word, keys. Everything also works by reloading the page.
 *
 * What the server sends as HTML is its own rendering, escaped there. What comes as data becomes text nodes here.
 */
(() => {
  "use strict";

  const page = document.querySelector("[data-page]");
  if (!page) return;
  const words = JSON.parse(document.getElementById("desk-words").textContent);
  const isCase = page.dataset.page === "case";
  // Where this page can be opened: what a refused form led to cannot.
  const here = isCase ? `/desk/cases/${page.dataset.case}` : "/desk";
  const FLICKER_MS = 1500; // a stream that comes back within this time was never worth a word
  const FIRST_RETRY_MS = 1000;
  const LAST_RETRY_MS = 30000;
  const TYPING_EVERY_MS = 3000;
  const TYPING_SHOWN_MS = 5000;
  const SEARCH_AFTER_MS = 150;
  const REQUEST_LIMIT_MS = 15000;

  const find = (selector, inside = document) => inside.querySelector(selector);
  const all = (selector, inside = document) => Array.from(inside.querySelectorAll(selector));
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => (name in values ? values[name] : ""));

  function make(tag, text, className) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  }

  function kept(name, otherwise) {
    try {
      return localStorage.getItem(`loa.desk.${name}`) ?? otherwise;
    } catch (_) {
      return otherwise;
    }
  }

  function keep(name, value) {
    try {
      localStorage.setItem(`loa.desk.${name}`, value);
    } catch (_) {
      // no storage here: the choice lives as long as the page
    }
  }

  function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  async function call(address, form) {
    const options = { headers: { Accept: "application/json" }, redirect: "manual", signal: AbortSignal.timeout(REQUEST_LIMIT_MS) };
    if (form) Object.assign(options, { method: "POST", body: new URLSearchParams(form) });
    const response = await fetch(address, options);
    if (response.type === "opaqueredirect" || response.status === 401) {
      sessionOver();
      throw new Error("the session is over");
    }
    const body = await response.json();
    return { ok: response.ok, body };
  }

  /* ---------------------------------------------------------------- how long somebody has waited */

  function span(since) {
    const seconds = Math.max(0, (Date.now() - Date.parse(since)) / 1000);
    const hours = Math.floor(seconds / 3600), minutes = Math.floor((seconds % 3600) / 60);
    if (seconds < 60) return words.spans.now;
    if (hours < 1) return fill(words.spans.minutes, { n: minutes });
    if (hours >= 48) return fill(words.spans.days, { n: Math.floor(hours / 24) });
    if (minutes && hours < 12) return fill(words.spans.hours_minutes, { h: hours, m: minutes });
    return fill(words.spans.hours, { n: hours });
  }

  function countOn() {
    for (const time of all("time[data-span]")) time.textContent = span(time.getAttribute("datetime"));
  }
  setInterval(countOn, 10000);

  /* ---------------------------------------------------------------- lists that follow the server
   * A change is {lists, rows: [{key, html, group}], gone: [key], full}. `full`: what is not named is gone. The order in which
 * rows stand is theirs (data-order). */

  function element(html) {
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    return template.content.firstElementChild;
  }

  function listOf(name) {
    return find(`[data-list="${name}"]`);
  }

  function place(list, node) {
    const next = Array.from(list.children).find((other) => (other.dataset.order || "") > node.dataset.order);
    list.insertBefore(node, next || null);
  }

  function apply(change) {
    const lists = change.lists.map(listOf).filter(Boolean);
    const known = new Map(lists.flatMap((list) => Array.from(list.children)).map((node) => [node.dataset.key, node]));
    const named = new Set(change.rows.map((row) => row.key));
    const arrived = [];
    for (const row of change.rows) {
      const list = listOf(row.group || change.lists[0]);
      if (!list) continue;
      const before = known.get(row.key);
      const node = element(row.html);
      if (before) {
        if (before.parentElement === list && before.outerHTML === node.outerHTML) continue;
        const focused = before.contains(document.activeElement) && document.activeElement;
        if (focused && focused.matches("input, textarea")) continue; // somebody is typing there
        exchange(before, node, list);
        if (focused) (find("a, button", node) || node).focus({ preventScroll: true });
      } else {
        place(list, node);
        arrived.push([row, node]);
      }
    }
    const gone = change.full ? Array.from(known.keys()).filter((key) => !named.has(key)) : change.gone;
    for (const key of gone) known.get(key)?.remove();
    return arrived;
  }

  function exchange(before, node, list) {
    const isThere = before.parentElement === list && before.dataset.order === node.dataset.order;
    for (const open of all("details[open]", before)) find("details", node)?.setAttribute("open", open.open);
    if (isThere) before.replaceWith(node);
    else {
      before.remove();
      place(list, node);
    }
  }

  /* ---------------------------------------------------------------- the stream */

  const live = find("[data-live]");
  let source = null, retryMs = FIRST_RETRY_MS, lostTimer = 0, isOver = false;

  function sessionOver() {
    isOver = true;
    source?.close();
    if (!live) return;
    live.className = "live lost";
    live.textContent = `${words.over} `;
    const link = make("a", words.over_link);
    link.href = `/staff/login?next=${encodeURIComponent(here)}`;
    live.append(link);
  }

  function say(isLive) {
    if (isOver || !live) return;
    live.className = isLive ? "live" : "live lost";
    live.textContent = isLive ? words.live : words.lost;
  }

  function listen(address, hear) {
    source = new EventSource(address);
    source.onopen = () => {
      retryMs = FIRST_RETRY_MS;
      clearTimeout(lostTimer);
      lostTimer = 0;
      say(true);
    };
    source.onmessage = (event) => hear(JSON.parse(event.data));
    source.addEventListener("over", sessionOver);
    source.onerror = () => {
      lostTimer = lostTimer || setTimeout(() => say(false), FLICKER_MS);
      if (source.readyState === EventSource.CLOSED && !isOver) again(address, hear);
    };
  }

  /* The browser gives up after a refusal: the session may be over, or the server is being started again. */
  async function again(address, hear) {
    const asking = new AbortController();
    try {
      const answer = await fetch(address, { headers: { Accept: "text/event-stream" }, redirect: "manual", signal: asking.signal });
      if (answer.type === "opaqueredirect" || answer.status === 401) return sessionOver();
    } catch (_) {
      // still away
    } finally {
      asking.abort();
    }
    setTimeout(() => listen(address, hear), retryMs);
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  }

  /* ---------------------------------------------------------------- the queue */

  /* Browsers play nothing before the first click or key on a page; until then the button says so. */
  let audio = null, isMuted = navigator.userActivation?.hasBeenActive === false;
  const soundButton = find("[data-sound]");

  function hasSound() {
    return kept("sound", "on") === "on";
  }

  function showSound() {
    if (!soundButton) return;
    soundButton.hidden = false;
    soundButton.setAttribute("aria-pressed", String(hasSound()));
    soundButton.textContent = !hasSound() ? words.soundOff : isMuted ? words.soundMuted : words.soundOn;
  }

  function unmute() {
    if (!isMuted) return;
    isMuted = false;
    showSound();
  }

  function toggleSound() {
    if (isMuted && hasSound()) {
      unmute();
      ring(false);
      return;
    }
    unmute();
    keep("sound", hasSound() ? "off" : "on");
    showSound();
    ring(false);
  }

  /* Two short tones, three for an emergency. */
  function ring(isUrgent) {
    if (isMuted || !hasSound() || !window.AudioContext) return;
    audio = audio || new AudioContext();
    audio.resume().then(() => {
      for (let number = 0; number < (isUrgent ? 3 : 2); number += 1) {
        const tone = audio.createOscillator(), volume = audio.createGain(), at = audio.currentTime + number * 0.22;
        tone.frequency.value = isUrgent ? 880 : 620 + 160 * number;
        volume.gain.setValueAtTime(0.12, at);
        volume.gain.exponentialRampToValueAtTime(0.001, at + 0.2);
        tone.connect(volume).connect(audio.destination);
        tone.start(at);
        tone.stop(at + 0.2);
      }
    }).catch(() => {});
  }

  function counts() {
    for (const name of ["waiting", "mine", "others", "drafts"]) {
      const list = listOf(name);
      if (!list) continue;
      const count = list.children.length;
      for (const shown of all(`[data-count="${name}"]`)) shown.textContent = count;
      const none = find(`[data-none="${name}"]`);
      if (none) none.hidden = count > 0;
      const section = find(`[data-hides="${name}"]`);
      if (section) section.hidden = count === 0;
    }
    const waiting = listOf("waiting").children.length + (listOf("drafts")?.children.length || 0);
    const title = page.dataset.title;
    document.title = waiting ? fill(words.titleCount, { count: waiting, title }) : title;
    if (navigator.setAppBadge) (waiting ? navigator.setAppBadge(waiting) : navigator.clearAppBadge()).catch(() => {});
  }

  function hearQueue(change) {
    const arrived = apply(change);
    counts();
    countOn();
    const fresh = change.full ? [] : arrived.filter(([row]) => row.group === "waiting" || change.lists[0] === "drafts");
    for (const [, node] of fresh) node.classList.add("is-new");
    if (fresh.length) ring(fresh.some(([, node]) => node.classList.contains("urgent")));
  }

  function rowLinks() {
    return all(".row-link");
  }

  function step(by) {
    const links = rowLinks();
    if (!links.length) return;
    const now = links.findIndex((link) => link.closest("li").contains(document.activeElement));
    links[now < 0 ? 0 : Math.min(links.length - 1, Math.max(0, now + by))].focus();
  }

  function startQueue() {
    showSound();
    counts();
    soundButton?.addEventListener("click", toggleSound);
    for (const sign of ["click", "keydown"]) addEventListener(sign, () => setTimeout(unmute), { once: true });
    for (const select of all("[data-submits]")) select.addEventListener("change", () => select.form.submit());
    listen(page.dataset.events, hearQueue);
    const keys = {
      j: () => step(1),
      ArrowDown: () => step(1),
      k: () => step(-1),
      ArrowUp: () => step(-1),
      s: toggleSound,
      c: () => {
        const row = document.activeElement.closest(".case-row") || find('[data-list="waiting"] .case-row');
        find(".row-claim", row || page)?.click();
      },
    };
    return keys;
  }

  /* ---------------------------------------------------------------- one conversation */

  const composer = find("[data-composer]");
  const text = composer && find("textarea", composer);
  const keptText = `loa.desk.text.${page.dataset.case}`;
  let typingTimer = 0, whoTypes = "nobody", typedAt = 0, isSending = false, isLeaving = false;
  // A form of this page is on its way and brings the new state itself.
  addEventListener("beforeunload", () => { isLeaving = true; });

  /* On a desktop the talk is pushed in a box of its own, on a phone with the page. */
  function scroller() {
    const box = find("[data-scroll]");
    return getComputedStyle(box).overflowY === "auto" ? box : document.documentElement;
  }

  function isAtEnd() {
    const box = scroller(), end = listOf("items").getBoundingClientRect().bottom;
    return end < (box === document.documentElement ? window.innerHeight : box.getBoundingClientRect().bottom) + 120;
  }

  function toEnd() {
    const box = scroller();
    if (box !== document.documentElement) box.scrollTop = box.scrollHeight;
    else listOf("items").lastElementChild?.scrollIntoView({ block: composer ? "center" : "end" });
  }

  function hearCase(change) {
    if (change.state && change.state !== page.dataset.state) {
      if (!isLeaving) location.replace(here);
      return;
    }
    if (change.window) find("[data-window]").textContent = change.window;
    if (change.typing) showTyping(change.typing, change.author);
    if (change.rows) {
      const wasAtEnd = isAtEnd();
      const arrived = apply(change);
      if (arrived.length && wasAtEnd) toEnd();
      if (arrived.some(([, node]) => node.matches(`.from-${whoTypes}`))) showTyping("");
      const hasAsked = arrived.some(([, node]) => node.matches(".from-citizen"));
      if (hasAsked && composer && !answers.field.value) search();
    }
  }

  /* `author` as in the rows: what this one wrote ends the sign, what another wrote does not. */
  function showTyping(name, author = "nobody") {
    whoTypes = author;
    find("[data-typing]").textContent = name ? fill(words.typing, { name }) : "";
    clearTimeout(typingTimer);
    if (name) typingTimer = setTimeout(() => showTyping(""), TYPING_SHOWN_MS);
  }

  /* With its words the form's key is kept: sent again after a reload, they arrive once. */
  function remember() {
    try {
      if (text.value) sessionStorage.setItem(keptText, JSON.stringify([text.value, composer.elements.key.value]));
      else sessionStorage.removeItem(keptText);
    } catch (_) {
      // no storage here
    }
  }

  function recall() {
    try {
      const [words, key] = JSON.parse(sessionStorage.getItem(keptText)) || [];
      if (!words || text.value) return;
      text.value = words;
      composer.elements.key.value = key;
    } catch (_) {
      // no storage here
    }
  }

  function tellTyping() {
    if (Date.now() - typedAt < TYPING_EVERY_MS || !text.value) return;
    typedAt = Date.now();
    call(`/desk/cases/${page.dataset.case}/typing`, { csrf: page.dataset.csrf }).catch(() => {});
  }

  function refuse(sentence) {
    const shown = find("[data-refused]", composer);
    shown.textContent = sentence;
    shown.hidden = !sentence;
  }

  function showFlags(flags) {
    const box = find("[data-flagged]", composer), says = find("[data-flagged-says]", box);
    box.hidden = !flags.length;
    says.textContent = `${words.flagged} `;
    for (const flag of flags) says.append(make("strong", flag.text), " ");
  }

  async function send() {
    if (isSending || !text.value.trim()) return;
    isSending = true;
    refuse("");
    const button = find("button", composer);
    button.disabled = true;
    try {
      const { ok, body } = await call(composer.action, Object.fromEntries(new FormData(composer)));
      if (ok) sent();
      else {
        showFlags(body.flags || []);
        refuse(body.flags ? "" : body.error || words.failed);
      }
    } catch (_) {
      if (!isOver) refuse(words.failed); // the key stays: sent again, it arrives once
    } finally {
      isSending = false;
      button.disabled = false;
      text.focus();
    }
  }

  function sent() {
    text.value = "";
    remember();
    composer.elements.key.value = newKey();
    if (composer.elements.confirmed) composer.elements.confirmed.checked = false;
    showFlags([]);
    toEnd();
  }

  function startCase() {
    if (page.dataset.events) listen(page.dataset.events, hearCase);
    if (composer) {
      recall();
      composer.addEventListener("submit", (event) => {
        event.preventDefault();
        send();
      });
      text.addEventListener("input", () => {
        remember();
        tellTyping();
      });
      text.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          send();
        }
      });
      startAnswers();
    }
    toEnd();
    const opens = (selector) => () => {
      const details = find(selector);
      if (!details) return;
      details.open = true;
      find("select, button", details).focus();
    };
    return {
      c: () => find("[data-claim]")?.click(),
      t: () => text?.focus(),
      "/": () => find("#q")?.focus(),
      n: () => find("#note")?.focus(),
      b: opens("[data-give-back]"),
      x: opens("[data-close]"),
      q: () => find("[data-to-queue]")?.click(),
    };
  }

  /* ---------------------------------------------------------------- approved answers */

  /* A list to choose from while the field keeps the focus: ↑ ↓ choose, Enter looks, Ctrl+Enter sends. */
  const answers = { field: find("#q"), list: find("[data-answer-list]"), chosen: -1, asked: 0, timer: 0, keys: new Map() };

  async function search() {
    const number = ++answers.asked, asked = answers.field.value.trim();
    try {
      const { ok, body } = await call(`/desk/answers?${new URLSearchParams({ q: asked, case: page.dataset.case })}`);
      if (number !== answers.asked) return; // a later question is on its way
      if (!ok) throw new Error("refused");
      const found = asked ? body.hits : body.suggestions;
      showAnswers(found, asked ? words.answers.found : words.answers.suggested, asked && !found.length ? words.answers.none : "");
    } catch (_) {
      if (number === answers.asked && !isOver) showAnswers([], "", words.answers.lost);
    }
  }

  function showAnswers(found, heading, sentence) {
    const head = find("[data-answers-heading]");
    head.textContent = sentence || (found.length ? heading : "");
    head.hidden = !head.textContent;
    answers.list.replaceChildren(...found.map((hit, number) => {
      const option = make("li");
      option.id = `answer-${number}`;
      option.dataset.key = hit.key;
      option.setAttribute("role", "option");
      option.append(make("strong", hit.title));
      if (hit.snippet) option.append(make("span", hit.snippet));
      option.addEventListener("click", () => {
        choose(number);
        preview();
      });
      return option;
    }));
    choose(found.length ? 0 : -1);
  }

  function choose(number) {
    answers.chosen = number;
    Array.from(answers.list.children).forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === number));
      if (index === number) option.scrollIntoView({ block: "nearest" });
    });
    if (number >= 0) answers.field.setAttribute("aria-activedescendant", `answer-${number}`);
    else answers.field.removeAttribute("aria-activedescendant");
  }

  function chosenKey() {
    return answers.list.children[answers.chosen]?.dataset.key;
  }

  async function preview() {
    const key = chosenKey(), box = find("[data-preview]");
    if (!key) return;
    try {
      const { ok, body } = await call(`/desk/answers/${encodeURIComponent(key)}?case=${page.dataset.case}`);
      if (key !== chosenKey()) return;
      box.replaceChildren(...(ok ? previewed(body) : [make("p", body.error, "alarm")]));
    } catch (_) {
      if (!isOver) box.replaceChildren(make("p", words.answers.lost, "alarm"));
    }
    box.hidden = false;
    box.scrollIntoView({ block: "nearest" });
  }

  function previewed(answer) {
    const shown = [make("h3", answer.title)];
    if (answer.is_withdrawn) return [...shown, make("p", words.answers.withdrawn, "alarm")];
    if (answer.risk === "high") shown.push(make("p", words.answers.risk, "alarm"));
    if (answer.is_live) shown.push(make("p", words.answers.live, "notice"));
    if (answer.own) {
      shown.push(make("h3", fill(words.answers.own, { language: answer.language_name })));
      if (answer.is_draft) shown.push(make("p", words.answers.draft, "notice"));
      shown.push(said(answer.own_words || answer.own.text, answer.own, answer.language), make("h3", words.answers.vi));
    } else if (page.dataset.ownLanguage !== "vi") shown.push(make("p", words.answers.onlyVietnamese, "notice"));
    shown.push(said(answer.vi.text, answer.vi, "vi"));
    if (answer.source) shown.push(make("p", answer.source, "hint"));
    const button = make("button", words.answers.send, "primary");
    button.type = "button";
    button.addEventListener("click", () => sendAnswer(answer.key));
    const close = make("button", words.answers.close, "secondary");
    close.type = "button";
    close.addEventListener("click", closePreview);
    const row = make("p", undefined, "preview-row");
    row.append(button, " ", close);
    return [...shown, row];
  }

  function said(text, message, language) {
    const box = make("div", undefined, "preview-text words");
    box.lang = language;
    box.append(text);
    for (const picture of message.attachments) {
      const image = make("img");
      image.src = `/${picture.url}`;
      image.alt = picture.alt;
      box.append(image);
    }
    return box;
  }

  function closePreview() {
    find("[data-preview]").hidden = true;
    answers.field.focus();
  }

  /* The key of an answer stays until it is known to be sent: tried again after a lost connection, it arrives once. */
  async function sendAnswer(key) {
    if (!key || isSending) return;
    isSending = true;
    if (!answers.keys.has(key)) answers.keys.set(key, newKey());
    const form = { csrf: page.dataset.csrf, answer: key, key: answers.keys.get(key) };
    try {
      const { ok, body } = await call(`/desk/cases/${page.dataset.case}/answer`, form);
      refuse(ok ? "" : body.error || words.failed);
      if (ok) {
        answers.keys.delete(key);
        answers.field.value = "";
        closePreview();
        search();
        toEnd();
      }
    } catch (_) {
      if (!isOver) refuse(words.failed);
    } finally {
      isSending = false;
    }
  }

  function startAnswers() {
    find("[data-answers]").hidden = false;
    answers.field.setAttribute("role", "combobox");
    answers.field.setAttribute("aria-expanded", "true");
    answers.list.setAttribute("role", "listbox");
    answers.field.addEventListener("input", () => {
      clearTimeout(answers.timer);
      answers.timer = setTimeout(search, SEARCH_AFTER_MS);
    });
    answers.field.addEventListener("keydown", (event) => {
      const count = answers.list.children.length;
      if (event.key === "ArrowDown") choose(Math.min(count - 1, answers.chosen + 1));
      else if (event.key === "ArrowUp") choose(Math.max(0, answers.chosen - 1));
      else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) sendAnswer(chosenKey());
      else if (event.key === "Enter") preview();
      else return;
      event.preventDefault();
    });
    answers.field.form.addEventListener("submit", (event) => event.preventDefault());
    search();
  }

  /* ---------------------------------------------------------------- keys */

  const keysDialog = document.getElementById("keys");

  function start(keys) {
    for (const button of all("[data-keys]")) {
      button.hidden = false;
      button.addEventListener("click", () => keysDialog.showModal());
    }
    const single = find("[data-single-keys]");
    single.checked = kept("keys", "on") === "on";
    single.addEventListener("change", () => keep("keys", single.checked ? "on" : "off"));
    document.addEventListener("keydown", (event) => {
      const isField = event.target.matches("input:not([type=checkbox]), textarea, select");
      if (event.key === "Escape" && isField) event.target.blur();
      if (isField || event.ctrlKey || event.metaKey || event.altKey || keysDialog.open) return;
      if (event.key === "?") keysDialog.showModal();
      else if (keys[event.key] && single.checked) keys[event.key]();
      else return;
      event.preventDefault();
    });
  }

  start(isCase ? startCase() : startQueue());
})();
