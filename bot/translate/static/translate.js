// The translators' page: letters to tap, warnings while typing, drafts that outlive a lost network, recording.
// Without it everything but the letters, the live look and the recording still works.
"use strict";

(() => {
  const CHECK_AFTER_MS = 500;
  const LONGEST_RECORDING_MS = 5 * 60 * 1000;
  const MOST_BYTES = 2 * 1024 * 1024;
  const KEPT = "loa-translate:";
  const $ = (id) => document.getElementById(id);
  const form = $("form");
  if (!form) return;
  const text = $("text");

  // ---- what was typed is kept on this machine until the server has it

  const key = KEPT + form.dataset.draft;
  const onServer = () => text.dataset.kept;
  const storage = {
    get() { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
    set(value) { try { localStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; } },
    drop() { try { localStorage.removeItem(key); } catch { /* private mode */ } },
  };

  function tidy(value) {
    return value.normalize("NFC").replace(/\r\n?/g, "\n").replace(/\u00a0/g, " ").split("\n").map((line) => line.trimEnd()).join("\n").trim();
  }

  function keep() {
    if (tidy(text.value) === onServer()) { storage.drop(); $("kept").textContent = "\u00a0"; return; }
    if (storage.set({ text: text.value, over: onServer() })) $("kept").textContent = form.dataset.kept;
  }

  function offerDraft() {
    const draft = storage.get();
    if (!draft || typeof draft.text !== "string") return;
    if (tidy(draft.text) === onServer()) { storage.drop(); return; }
    if (tidy(draft.text) === tidy(text.value)) return; // shown again after a refusal
    if (draft.over === onServer() && tidy(text.value) === onServer()) {
      text.value = draft.text;
      $("restored").hidden = false;
      look();
      return;
    }
    $("unsaved").hidden = false;
    $("unsaved-take").addEventListener("click", () => { text.value = draft.text; $("unsaved").hidden = true; typed(); text.focus(); });
    $("unsaved-drop").addEventListener("click", () => { storage.drop(); $("unsaved").hidden = true; text.focus(); });
  }

  // ---- warnings and the bubble

  let waiting = 0;
  let asked = 0;

  async function look() {
    const mine = ++asked;
    const looked = $("looked");
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams({ text: text.value }) });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== asked) return;
      looked.replaceChildren(...fresh.body.childNodes);
      text.toggleAttribute("aria-invalid", false);
      if (looked.querySelector(".problems .alarm")) text.setAttribute("aria-invalid", "true");
    } catch {
      if (mine !== asked) return;
      const said = document.createElement("p");
      said.className = "notice";
      said.textContent = looked.dataset.failed;
      looked.querySelector(".notice[data-failed]")?.remove();
      said.dataset.failed = "";
      looked.prepend(said);
    }
  }

  function typed() {
    keep();
    clearTimeout(waiting);
    waiting = setTimeout(look, CHECK_AFTER_MS);
  }

  text.addEventListener("input", typed);
  window.addEventListener("pagehide", () => { if (tidy(text.value) !== onServer()) storage.set({ text: text.value, over: onServer() }); });
  offerDraft();

  // ---- letters that the keyboard lacks

  const capitals = $("capitals");
  const areCapitals = () => capitals !== null && capitals.getAttribute("aria-pressed") === "true";

  function setCapitals(on) {
    capitals.setAttribute("aria-pressed", String(on));
    for (const button of document.querySelectorAll("#letters [data-insert]")) {
      button.textContent = on ? button.dataset.insert.toUpperCase() : button.dataset.insert;
    }
  }

  function insert(button) {
    const large = areCapitals() && !("whole" in button.dataset);
    text.focus({ preventScroll: true });
    text.setRangeText(large ? button.dataset.insert.toUpperCase() : button.dataset.insert, text.selectionStart, text.selectionEnd, "end");
    if (large) setCapitals(false);
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  for (const row of document.querySelectorAll(".keys")) {
    row.hidden = false;
    // The keyboard of a phone stays open while letters are tapped.
    row.addEventListener("pointerdown", (event) => { if (event.target.closest("button")) event.preventDefault(); });
    row.addEventListener("mousedown", (event) => event.preventDefault());
    row.addEventListener("click", (event) => {
      const button = event.target.closest("[data-insert]");
      if (button) insert(button);
    });
  }
  capitals?.addEventListener("click", () => setCapitals(!areCapitals()));

  // ---- recording

  const recorder = $("recorder");
  if (!recorder) return;
  const words = JSON.parse(recorder.dataset.words);
  const record = $("record");
  const stop = $("stop");
  const clock = $("clock");
  const file = $("file");
  const use = $("use");
  const fresh = $("fresh");
  let running = null;
  recorder.hidden = false;
  use.disabled = true;
  file.addEventListener("change", () => chosen(file.files[0]));

  function say(sentence) {
    $("recorder-says").textContent = sentence;
    $("recorder-says").hidden = !sentence;
  }

  function chosen(sound) {
    const fits = Boolean(sound) && sound.size <= MOST_BYTES;
    say(sound && !fits ? words.too_long : "");
    use.disabled = !fits;
    if (fresh.src) URL.revokeObjectURL(fresh.src);
    fresh.hidden = !fits;
    if (fits) fresh.src = URL.createObjectURL(sound); else fresh.removeAttribute("src");
    if (sound && !fits) file.value = "";
  }

  const kind = window.MediaRecorder
    ? ["audio/ogg;codecs=opus", "audio/webm;codecs=opus"].find((one) => MediaRecorder.isTypeSupported(one))
    : undefined;
  if (!kind || !navigator.mediaDevices) {
    record.disabled = true;
    say(words.no_recorder);
    return;
  }

  async function start() {
    say("");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, noiseSuppression: true } });
    } catch {
      say(words.no_microphone);
      return;
    }
    const parts = [];
    running = new MediaRecorder(stream, { mimeType: kind, audioBitsPerSecond: 32000 });
    const begun = Date.now();
    const tick = setInterval(() => {
      const seconds = Math.floor((Date.now() - begun) / 1000);
      clock.textContent = `${words.recording} ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      if (Date.now() - begun > LONGEST_RECORDING_MS) running.stop();
    }, 250);
    running.addEventListener("dataavailable", (event) => { if (event.data.size) parts.push(event.data); });
    running.addEventListener("stop", () => {
      clearInterval(tick);
      for (const track of stream.getTracks()) track.stop();
      const name = kind.startsWith("audio/ogg") ? "recording.ogg" : "recording.webm";
      const given = new DataTransfer();
      given.items.add(new File(parts, name, { type: kind.split(";")[0] }));
      file.files = given.files;
      chosen(file.files[0]);
      shows(false);
      $("record-word").textContent = words.again;
      (use.disabled ? record : use).focus();
    });
    running.start();
    shows(true);
    stop.focus();
  }

  function shows(isRecording) {
    record.hidden = isRecording;
    stop.hidden = clock.hidden = !isRecording;
    clock.textContent = isRecording ? `${words.recording} 0:00` : "";
  }

  record.addEventListener("click", start);
  stop.addEventListener("click", () => running.stop());
})();
