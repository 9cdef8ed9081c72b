/* Loa's chat page: sends questions, shows answers with their source, and loses nothing when the network goes.
 *
 * Plain JavaScript for the browsers that old phones really carry (no optional chaining, no lookbehind, no build).
 * Whatever a citizen, the bot or an operator wrote becomes a text node; markup is only made by `make`.
 */
(() => {
  "use strict";

  const settings = JSON.parse(document.getElementById("settings").textContent);
  const { maxCharacters } = settings;
  let ui = settings.ui; // the words of the page, in the language of the talk
  const query = new URLSearchParams(location.search);

  const STORE = "loa.webchat";
  const KEPT_ENTRIES = 60;
  const REQUEST_LIMIT_MS = 20000;
  const TYPING_LIMIT_MS = 40000;
  const PERSON_TYPING_MS = 6000; // a person's sign comes again every few seconds while they write
  const TELL_TYPING_MS = 3000;
  const FIRST_RETRY_MS = 2000;
  const LAST_RETRY_MS = 60000;
  const FLICKER_MS = 1500; // a stream that comes back within this time was never worth a word
  const BACK_ONLINE_MS = 3000;
  const NO_ANSWER_MS = 12000; // a phone's dead connection looks open for ever: ask anew when an answer is late
  const QUIET_STREAM_MS = 300000;

  const byId = (id) => document.getElementById(id);
  const log = byId("log");
  const conversation = byId("conversation");
  const question = byId("question");
  const toNewest = byId("to-newest");

  /* ---------------------------------------------------------------- what is kept on this device
   * {token, since, last, language, owner, told, entries}; an entry is {key, who: "you"|"bot"|"operator"|"note", text, at, …}. Memory is
   * the truth, localStorage its copy: it may be missing (third-party iframe, private window) or shared with another tab. */

  const state = { token: null, since: 0, last: "0", language: settings.asked, owner: "", told: "", entries: [] };

  function stored() {
    try {
      return JSON.parse(localStorage.getItem(STORE)) || {};
    } catch (_) {
      return {};
    }
  }

  function save() {
    takeOver(stored());
    try {
      localStorage.setItem(STORE, JSON.stringify(state));
    } catch (_) {
      // no storage here: the talk lives as long as the page
    }
  }

  /* Merge what another tab or an earlier visit kept: the younger session wins, entries are united by their key. */
  function takeOver(kept) {
    if (kept.token && (kept.since || 0) > state.since) {
      Object.assign(state, { token: kept.token, since: kept.since, last: kept.last || "0" });
      stream.reopen();
    }
    const entries = new Map();
    for (const entry of Array.isArray(kept.entries) ? kept.entries : []) entries.set(entry.key, entry);
    for (const entry of state.entries) {
      const other = entries.get(entry.key);
      if (other && other.state === "sent") entry.state = "sent";
      entries.set(entry.key, entry);
    }
    state.entries = Array.from(entries.values()).sort((a, b) => a.at - b.at).slice(-KEPT_ENTRIES);
    state.entries.forEach(draw);
  }

  function add(entry) {
    const newest = state.entries[state.entries.length - 1];
    entry.at = Math.max(Date.now(), newest ? newest.at + 1 : 0); // a phone's clock may jump back; the order must not
    state.entries.push(entry);
    save();
    reveal(nodes.get(entry.key), entry.who === "you");
  }

  function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(12)); // randomUUID is missing on plain http
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /* ---------------------------------------------------------------- words into elements */

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function fill(template, values) {
    return template.replace(/\{(\w+)\}/g, (_, name) => (name in values ? values[name] : ""));
  }

  /* Addresses, and numbers as Vietnam writes them: 115 · 1900 9095 · 096 306 1414 · 0262.2460701 · 02371022. What
   * stands before is matched too, since "QĐ 115", "3/115" and "1.115" are no calls and old phones lack lookbehind. */
  const GAP = "[ .\\u00a0-]?";
  const LINK = new RegExp(
    "(https://[^\\s<>\"'“”]+)|(^|[\\s([“\":;–—])(" +
      `\\+84(?:${GAP}\\d){9,10}|0[35789]\\d(?:${GAP}\\d){7}|02\\d(?:${GAP}\\d){5,8}|` +
      `1[89]00(?:${GAP}\\d){4}(?:(?:${GAP}\\d){2})?|11[1-5]|1022)(?![\\d/%]|[.,–-]\\d)`,
    "g",
  );
  const COUNTED = /^\s*(ca|người|trường hợp|nghìn|ngàn|triệu|tỷ|đồng|liều|mũi|ngày|giờ|phút|tuổi|điểm|xã|phường)(?=[\s.,;:)]|$)/i;
  const NUMBERED = /(điều|khoản|số ca|nghị định|quyết định|thông tư|luật)( số)?\s*$/i;

  function write(parent, text) {
    let done = 0;
    for (const match of text.matchAll ? text.matchAll(LINK) : []) {
      const [whole, address, before, number] = match;
      const start = match.index + (address ? 0 : before.length);
      const shown = address ? withoutTail(address) : number;
      if (!address && number.length < 5) {
        const isCount = COUNTED.test(text.slice(start + number.length)) || NUMBERED.test(text.slice(0, start));
        if (isCount) continue;
      }
      parent.append(text.slice(done, start), address ? pageLink(shown) : callLink(shown));
      done = start + shown.length;
    }
    parent.append(text.slice(done));
    return parent;
  }

  /* The full stop or bracket after an address belongs to the sentence, unless the address opened the bracket. */
  function withoutTail(address) {
    let kept = address.replace(/[.,;:!?…”»]+$/, "");
    while (kept.endsWith(")") && !kept.includes("(")) kept = kept.slice(0, -1).replace(/[.,;:!?…]+$/, "");
    return kept;
  }

  function pageLink(address, className) {
    const link = make("a", className, className ? undefined : address);
    link.href = address;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    return link;
  }

  function callLink(number) {
    const link = make("a", "call", number);
    link.href = "tel:" + number.replace(/[^\d+]/g, "");
    return link;
  }

  /* Paragraphs and "- " lists, as pages.py splits the welcome. */
  function writeBlocks(parent, text) {
    let list = null;
    for (const line of text.split("\n").map((raw) => raw.trim()).filter(Boolean)) {
      if (line.startsWith("- ")) {
        list = list || parent.appendChild(make("ul"));
        list.append(write(make("li"), line.slice(2).trim()));
      } else {
        list = null;
        parent.append(write(make("p"), line));
      }
    }
    return parent;
  }

  /* 2023-10-29 → 29/10/2023, 2021-12 → 12/2021 */
  const spokenDate = (date) => String(date || "").split("-").reverse().join("/");

  function spokenTime(at) {
    const time = new Date(at);
    const two = (number) => String(number).padStart(2, "0");
    const clock = `${two(time.getHours())}:${two(time.getMinutes())}`;
    const isToday = time.toDateString() === new Date().toDateString();
    return isToday ? clock : `${two(time.getDate())}/${two(time.getMonth() + 1)} ${clock}`;
  }

  /* ---------------------------------------------------------------- the talk on the screen */

  const nodes = new Map();
  const LABELS = { you: "you_label", bot: "bot_label", operator: "operator_label" };

  /* An element whose words follow the language of the talk. */
  function worded(tag, className, word) {
    const element = make(tag, className, ui[word]);
    element.dataset.word = word;
    return element;
  }

  /* Draw an entry once; later only its state changes, in place, or a screen reader would read it a second time. */
  function draw(entry) {
    const drawn = nodes.get(entry.key);
    const node = drawn || (entry.who === "note" ? make("p", "note", entry.text) : message(entry));
    if (entry.who === "you" && node.dataset.state !== entry.state) showState(node, entry);
    if (drawn) return;
    nodes.set(entry.key, node);
    log.append(node);
    if (entry.buttons && entry.buttons.length) {
      log.querySelectorAll(".choices.latest").forEach((choices) => choices.classList.remove("latest"));
      node.querySelector(".choices").classList.add("latest");
    }
  }

  function showState(node, entry) {
    node.dataset.state = entry.state;
    const isStuck = entry.state === "unsent" || entry.state === "refused";
    const retry = node.querySelector(".retry");
    if (isStuck && !retry) {
      node.append(retryButton(entry));
      if (wasAtEnd) scrollToEnd();
    } else if (retry && !isStuck) {
      if (retry === document.activeElement) question.focus();
      retry.remove();
    }
  }

  function message(entry) {
    const node = make("div", `message ${entry.who}`);
    const meta = node.appendChild(make("p", "meta"));
    const time = make("time", "", spokenTime(entry.at));
    time.dateTime = new Date(entry.at).toISOString();
    meta.append(worded("span", "author", LABELS[entry.who]), " ", time);
    const bubble = node.appendChild(make("div", "bubble"));
    bubble.lang = entry.who === "you" ? "" : entry.language || "vi"; // nobody knows in which language a citizen writes
    if (entry.who === "you") bubble.textContent = entry.text;
    else writeBlocks(bubble, entry.text);
    for (const attachment of entry.attachments || []) {
      if (attachment.type === "image") bubble.append(picture(attachment));
      if (attachment.type === "audio") bubble.append(player(attachment));
    }
    if (entry.source) bubble.append(sourceCard(entry.source));
    if (entry.buttons && entry.buttons.length) node.appendChild(choices(entry.buttons)).lang = bubble.lang;
    return node;
  }

  /* Nothing is fetched before it is played; a browser that cannot play it gets the file itself. */
  function player({ url, alt }) {
    const clip = make("figure", "clip");
    const sound = clip.appendChild(make("audio"));
    Object.assign(sound, { controls: true, preload: "none", src: url });
    sound.setAttribute("aria-label", alt);
    const words = clip.appendChild(make("figcaption", "", alt));
    sound.addEventListener("error", () => {
      const link = make("a", "", alt);
      link.href = url;
      words.replaceWith(link);
      sound.remove();
    });
    return clip;
  }

  /* The words of the answer say what the picture shows; without it its alternative text stands there. */
  function picture({ url, alt }) {
    const link = make("a", "picture");
    link.href = `insights/figures?place=${encodeURIComponent(url.split("/")[1] || "")}`; // figures/<place>/<metric>.png
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    const image = make("img");
    Object.assign(image, { alt, width: 640, height: 460, loading: "lazy", decoding: "async" });
    image.addEventListener("error", () => image.replaceWith(make("span", "", alt)));
    image.src = url;
    link.append(image, worded("span", "label", "all_figures"));
    return link;
  }

  function sourceCard(source) {
    const card = /^https?:\/\//.test(source.url || "") ? pageLink(source.url, "source") : make("div", "source");
    card.append(worded("span", "label", "source_label"));
    card.append(make("strong", "", [source.number, source.title].filter(Boolean).join(" · ")));
    const issued = { document: source.issuer || "", date: spokenDate(source.date) };
    if (issued.document && issued.date) card.append(make("span", "", fill(ui.source_dated, issued)));
    else if (issued.document || issued.date) card.append(make("span", "", issued.document || issued.date));
    if (source.reviewed) card.append(make("span", "", `${ui.reviewed_label} ${spokenDate(source.reviewed)}`));
    return card;
  }

  /* A payload is sent to Loa, a link opened beside the chat, a number called. */
  function choice({ title, payload, url, phone }) {
    if (phone) {
      const call = make("a", "", title);
      call.href = "tel:" + phone.replace(/[^\d+]/g, "");
      return call;
    }
    if (/^https?:\/\//.test(url || "")) {
      const link = pageLink(url, "");
      link.textContent = title;
      return link;
    }
    const button = make("button", "", title);
    button.type = "button";
    button.dataset.payload = payload || "";
    return button;
  }

  function choices(buttons) {
    const group = make("div", "choices");
    for (const button of buttons) group.append(choice(button));
    return group;
  }

  function retryButton(entry) {
    const button = worded("button", "retry", "not_sent_retry");
    button.type = "button";
    button.addEventListener("click", () => {
      mark(entry, "sending");
      outbox.flush();
    });
    return button;
  }

  /* The talk scrolls inside <main>; on a very low screen the whole page scrolls instead (chat.css). */
  function scroller() {
    return getComputedStyle(conversation).overflowY === "visible" ? document.scrollingElement : conversation;
  }

  function isAtEnd() {
    const box = scroller();
    return box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  }

  let wasAtEnd = true;

  /* Show what is new without taking the reader's place: a long answer is shown from its first line. */
  function reveal(node, always) {
    if (!node) return;
    if (!always && !wasAtEnd) {
      toNewest.hidden = false;
      return;
    }
    const box = scroller();
    const end = box.scrollHeight - box.clientHeight;
    const top = box.scrollTop + node.getBoundingClientRect().top - (box === conversation ? box.getBoundingClientRect().top : 0);
    box.scrollTop = Math.min(end, top - 12);
    toNewest.hidden = true;
  }

  function scrollToEnd() {
    const box = scroller();
    box.scrollTop = box.scrollHeight;
    toNewest.hidden = true;
  }

  let unread = 0;
  let title = document.title;

  function countUnread(more) {
    unread = document.hidden ? unread + more : 0;
    document.title = unread ? `(${unread}) ${title}` : title;
  }

  /* ---------------------------------------------------------------- the language of the talk */

  const picker = byId("language");
  let spoken = settings.asked; // the language that was asked for; the words may be Vietnamese all the same

  /* The page follows the talk: its words come once, and without them it stays as it is. */
  async function speak(language) {
    state.language = language;
    if (Array.from(picker.options).some(({ value }) => value === language)) picker.value = language;
    if (language === spoken) return;
    try {
      const response = await fetch(`words/${encodeURIComponent(language)}.json`);
      const words = response.ok ? await response.json() : null;
      if (!words || state.language !== language) return;
      spoken = language;
      wear(words);
    } catch (_) {
      // the next answer tries again
    }
  }

  function wear(words) {
    title = title.replace(ui.title, words.ui.title);
    ui = words.ui;
    countUnread(0);
    document.documentElement.lang = words.language;
    for (const element of document.querySelectorAll("[data-word]")) element.textContent = ui[element.dataset.word];
    for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", ui[element.dataset.label]);
    byId("words-note").textContent = words.draft;
    invite();
  }

  function invite() {
    const words = ui.input_placeholder;
    question.placeholder = innerWidth < 480 ? words.split(",")[0] : words; // a cut sentence helps nobody; the label has it all
  }

  picker.addEventListener("change", () => {
    const { value, text } = picker.selectedOptions[0];
    speak(value);
    say(text, `/choose_language{"language":"${value}"}`);
  });

  const typing = {
    timers: [],
    start() {
      this.stop();
      if (state.owner === "queue" || state.owner === "operator") return; // people read this: the machine is not typing
      this.show(worded("span", "heard", "typing"));
      this.timers = [setTimeout(() => stream.reopen(), NO_ANSWER_MS), setTimeout(() => this.stop(), TYPING_LIMIT_MS)];
    },
    person() {
      this.stop();
      this.show(worded("span", "who-types", "operator_typing"));
      this.timers = [setTimeout(() => this.stop(), PERSON_TYPING_MS)];
    },
    show(words) {
      const dots = make("span", "dots");
      dots.append(make("i"), make("i"), make("i"));
      byId("typing").append(dots, words);
      if (wasAtEnd) scrollToEnd();
    },
    stop() {
      this.timers.forEach(clearTimeout);
      byId("typing").textContent = "";
    },
  };

  /* ---------------------------------------------------------------- is the service within reach? */

  const connection = {
    now: "fine",
    timer: 0,
    is(next) {
      if (next === "reconnecting" && !navigator.onLine) next = "offline";
      if (next === this.now) return;
      const before = this.now;
      this.now = next;
      clearTimeout(this.timer);
      if (next === "offline") this.say(ui.offline, "offline");
      else if (next === "reconnecting") this.timer = setTimeout(() => this.say(ui.reconnecting, "reconnecting"), FLICKER_MS);
      else if (before === "offline" || byId("connection").textContent) {
        this.say(ui.back_online, "back");
        this.timer = setTimeout(() => this.say("", ""), BACK_ONLINE_MS);
      }
    },
    say(text, className) {
      byId("connection").textContent = text;
      byId("connection").className = className;
    },
  };

  class HttpError extends Error {
    constructor(response) {
      super(`HTTP ${response.status}`);
      this.status = response.status;
      this.waitMs = 1000 * (parseInt(response.headers.get("Retry-After"), 10) || 0);
    }
  }

  async function post(path, body, token) {
    const headers = { "Content-Type": "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), REQUEST_LIMIT_MS);
    try {
      const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal: limit.signal });
      if (!response.ok) throw new HttpError(response);
      return await response.json();
    } finally {
      clearTimeout(timer);
    }
  }

  /* ---------------------------------------------------------------- the session */

  let campaign = query.get("c"); // told once: a session that is renewed later came by itself

  /* `known`: the token of the session that goes on, so that its talk stays when a link is opened in it. */
  function openSession(known) {
    if (!opening) opening = newSession(known).then(() => (opening = null), (error) => {
      opening = null;
      throw error;
    });
    return opening;
  }

  let opening = null;

  async function newSession(known) {
    const wishes = {};
    if (campaign) wishes.campaign = campaign;
    if (state.language !== "vi") wishes.language = state.language;
    const { token } = await post("webchat/session", wishes, known);
    if (token !== state.token) Object.assign(state, { token, since: Math.max(Date.now(), state.since + 1), last: "0" });
    if (campaign) state.told = told(campaign);
    campaign = "";
    save();
  }

  const told = (code) => `${code} ${new Date().toDateString()}`;

  /* A campaign's link is answered before anything is asked; a widget on many pages of a portal once a day. */
  async function tellCampaign() {
    if (!/^(?=.*\d)[a-z0-9-]{3,24}$/i.test(campaign || "") || state.told === told(campaign)) return;
    try {
      await openSession(state.token);
      stream.open();
    } catch (_) {
      // no network: the first question tells it
    }
  }

  /* The service no longer knows this token; another tab may already hold a new one. */
  function dropSession(token) {
    takeOver(stored());
    if (state.token !== token) return;
    state.token = null;
    state.owner = "";
    state.since = Math.max(Date.now(), state.since + 1);
    stream.close();
    save();
  }

  /* ---------------------------------------------------------------- questions out */

  const outbox = {
    isBusy: false,
    failures: 0,
    timer: 0,

    /* Send what waits, in order. A repeated POST carries the same id, so the service takes it once. */
    async flush() {
      if (this.isBusy) return;
      this.isBusy = true;
      clearTimeout(this.timer);
      try {
        for (let entry = this.next(); entry; entry = this.next()) {
          await this.send(entry);
          this.failures = 0;
        }
      } catch (error) {
        state.entries.filter((entry) => entry.state === "sending").forEach((entry) => mark(entry, "unsent"));
        this.failures += 1;
        const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.failures - 1));
        this.timer = setTimeout(() => this.flush(), Math.max(error.waitMs || 0, wait));
      } finally {
        this.isBusy = false;
      }
    },

    next() {
      return state.entries.find((entry) => entry.state === "sending" || entry.state === "unsent");
    },

    async send(entry) {
      if (navigator.onLine) typing.start();
      try {
        await this.deliver(entry, true);
        mark(entry, "sent");
        stream.open();
      } catch (error) {
        typing.stop();
        const isOurFault = error.status >= 400 && error.status < 500 && ![401, 408, 425, 429].includes(error.status);
        mark(entry, isOurFault ? "refused" : "unsent");
        if (error.status === 413) complain();
        if (isOurFault) return; // trying again by itself would not help
        if (!navigator.onLine) connection.is("offline");
        throw error;
      }
    },

    async deliver(entry, mayRenew) {
      if (!state.token) takeOver(stored());
      if (!state.token) await openSession();
      const token = state.token;
      stream.open();
      const said = entry.payload ? { payload: entry.payload } : { text: entry.text };
      try {
        await post("webchat/messages", Object.assign({ id: entry.key }, said), token);
      } catch (error) {
        if (error.status !== 401 || !mayRenew) throw error;
        dropSession(token);
        await this.deliver(entry, false);
      }
    },
  };

  function mark(entry, next) {
    entry.state = next;
    save();
  }

  function say(text, payload) {
    wasAtEnd = true;
    const entry = { key: newKey(), who: "you", text, state: "sending" };
    if (payload) entry.payload = payload;
    add(entry);
    outbox.flush();
  }

  /* ---------------------------------------------------------------- answers in */

  const stream = {
    source: null,
    timer: 0,
    failures: 0,
    heardAt: 0,

    /* The browser resumes by itself after a broken connection; `last_event_id` resumes after a reload. */
    open() {
      if (this.source || !state.token || typeof EventSource === "undefined") return;
      clearTimeout(this.timer);
      const source = (this.source = new EventSource(this.address()));
      this.heardAt = Date.now();
      source.onopen = () => {
        this.failures = 0;
        this.heardAt = Date.now();
        connection.is("fine");
        outbox.flush();
      };
      source.onmessage = (event) => {
        this.heardAt = Date.now();
        receive(event);
      };
      source.addEventListener("typing", () => typing.person());
      source.onerror = () => {
        connection.is("reconnecting");
        if (source.readyState === EventSource.CLOSED) this.tryLater();
      };
    },

    address() {
      return `webchat/events?token=${encodeURIComponent(state.token)}&last_event_id=${encodeURIComponent(state.last)}`;
    },

    close() {
      clearTimeout(this.timer);
      if (this.source) this.source.close();
      this.source = null;
    },

    reopen() {
      this.close();
      this.open();
    },

    /* The browser has given up: it got something else than a stream. An EventSource hides the status, so ask for it. */
    tryLater() {
      this.close();
      this.failures += 1;
      this.timer = setTimeout(() => this.probe(), Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.failures - 1)));
    },

    async probe() {
      const token = state.token;
      if (!token) return;
      const look = new AbortController();
      try {
        const response = await fetch(this.address(), { signal: look.signal });
        look.abort();
        if (response.status === 401) this.lose(token);
        else if (response.ok) this.open();
        else this.tryLater();
      } catch (_) {
        this.tryLater();
      }
    },

    lose(token) {
      dropSession(token);
      connection.is("fine");
      if (outbox.next()) outbox.flush();
      else add({ key: newKey(), who: "note", text: ui.session_lost });
    },
  };

  function receive({ data, lastEventId }) {
    const event = JSON.parse(data);
    const key = `${state.since}:${event.id}`; // ids belong to a session: another one may count from the start again
    state.last = lastEventId || event.id;
    typing.stop();
    state.owner = event.talk_owner || "";
    if (nodes.has(key)) return;
    countUnread(1);
    if (event.talk_language) speak(event.talk_language);
    add({
      key,
      who: event.author === "operator" ? "operator" : "bot",
      text: event.text || "",
      buttons: event.buttons || [],
      attachments: event.attachments || [],
      source: event.source || null,
      language: event.language,
    });
  }

  /* ---------------------------------------------------------------- the input */

  function complain() {
    byId("problem").textContent = fill(ui.message_too_long, { max: maxCharacters.toLocaleString("vi") });
  }

  function grow() {
    question.style.height = "auto";
    question.style.height = `${question.scrollHeight + question.offsetHeight - question.clientHeight}px`;
  }

  function submit() {
    const text = question.value.trim();
    if (Array.from(text).length > maxCharacters) {
      complain();
    } else if (text) {
      question.value = "";
      byId("problem").textContent = "";
      grow();
      say(text);
    }
    question.focus();
  }

  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });

  question.addEventListener("keydown", (event) => {
    const isComposing = event.isComposing || event.keyCode === 229; // Telex and VNI editors end a word with Enter too
    if (event.key !== "Enter" || event.shiftKey || isComposing) return;
    event.preventDefault();
    submit();
  });

  let toldAt = 0;

  /* Who reads this now sees that more is coming; nobody else is told. */
  function tellTyping() {
    if (state.owner !== "operator" || !state.token || !question.value || Date.now() - toldAt < TELL_TYPING_MS) return;
    toldAt = Date.now();
    post("webchat/typing", {}, state.token).catch(() => {});
  }

  question.addEventListener("input", () => {
    byId("problem").textContent = "";
    grow();
    tellTyping();
  });

  log.addEventListener("click", (event) => {
    const choice = event.target.closest("button[data-payload]");
    if (choice && event.detail < 2) say(choice.textContent, choice.dataset.payload);
  });

  toNewest.addEventListener("click", scrollToEnd);

  for (const target of [conversation, document]) {
    target.addEventListener(
      "scroll",
      () => {
        wasAtEnd = isAtEnd();
        if (wasAtEnd) toNewest.hidden = true;
      },
      { passive: true },
    );
  }

  /* ---------------------------------------------------------------- the world around the page */

  addEventListener("offline", () => {
    connection.is("offline");
    stream.close();
  });

  addEventListener("online", () => {
    connection.is("fine");
    stream.open();
    outbox.flush();
  });

  addEventListener("storage", (event) => {
    if (event.key !== STORE || !event.newValue) return;
    takeOver(stored());
    if (stored().language) speak(stored().language);
  });

  addEventListener("pageshow", (event) => {
    if (event.persisted) stream.reopen(); // back from the browser's page cache, where connections die
  });

  let hiddenAt = 0;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      hiddenAt = Date.now();
      return;
    }
    countUnread(0);
    if (Date.now() - hiddenAt > 30000) stream.reopen(); // a sleeping phone drops connections without telling
    outbox.flush();
  });

  setInterval(() => {
    if (!document.hidden && stream.source && Date.now() - stream.heardAt > QUIET_STREAM_MS) stream.reopen();
  }, 60000);

  /* iOS lays its keyboard over the page instead of making the page smaller. A pinch zoom is none of our business. */
  if (window.visualViewport) {
    const fit = () => {
      if (visualViewport.scale > 1.01) return;
      document.documentElement.style.setProperty("--height", `${Math.round(visualViewport.height)}px`);
      if (wasAtEnd && document.activeElement === question) scrollToEnd();
    };
    visualViewport.addEventListener("resize", fit);
  }

  /* Inside the widget: Escape closes it, and opening it with a keyboard at hand puts the cursor into the input. */
  if (parent !== window) {
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) parent.postMessage({ loa: "close" }, "*");
    });
    addEventListener("message", (event) => {
      const isOpened = event.source === parent && event.data && event.data.loa === "opened";
      if (isOpened && matchMedia("(hover: hover)").matches) question.focus();
    });
  }

  /* ---------------------------------------------------------------- start */

  document.querySelectorAll("#welcome p:not(.meta), #welcome li").forEach((element) => {
    const text = element.textContent;
    element.textContent = "";
    write(element, text);
  });

  log.setAttribute("aria-live", "off"); // a kept talk is not news
  const kept = stored();
  Object.assign(state, { token: kept.token || null, since: kept.since || 0, last: kept.last || "0", told: kept.told || "" });
  state.owner = kept.owner || "";
  takeOver(kept);
  speak((kept.token && kept.language) || state.language);
  picker.parentNode.hidden = false;
  if (state.entries.length) scrollToEnd();
  setTimeout(() => log.setAttribute("aria-live", "polite"), 500);

  invite();
  if (question.value) grow(); // typed before this script was there
  if (!navigator.onLine) connection.is("offline");
  stream.open();
  tellCampaign().then(() => outbox.flush());
})();
