/* Says a little before the end that nobody seems to be there, and leaves the page when the session is over: what citizens
   wrote must not stay on an unattended screen. Without this script the session ends all the same. */
"use strict";

/* The room one is in, where the bar is wider than the phone. */
document.querySelector(".rooms [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

(() => {
  const NOTICE_SECONDS = 120;
  const KEEP_EVERY_MS = 60000;
  const ADDRESS = "/staff/session";
  const notice = document.getElementById("idle");
  const token = document.querySelector("input[name=csrf]");
  if (!notice || !token) return;

  const whole = Number(notice.dataset.seconds);
  const noticeAt = Math.min(NOTICE_SECONDS, whole / 4);
  let over = 0;
  let timer = 0;
  let keptAt = Date.now();

  function leave() {
    window.location.replace(notice.dataset.login);
  }

  /* Until the notice, or from the notice until the end. A clock that slept wakes up late: the times are compared, not counted. */
  function wait(seconds) {
    over = Date.now() + seconds * 1000;
    notice.hidden = seconds > noticeAt;
    window.clearTimeout(timer);
    timer = window.setTimeout(look, Math.max(1, notice.hidden ? seconds - noticeAt : seconds + 1) * 1000);
  }

  async function ask(options) {
    const answer = await fetch(ADDRESS, { headers: { Accept: "application/json" }, cache: "no-store", ...options });
    if (answer.status === 401) return leave();
    if (!answer.ok) throw new Error(String(answer.status));
    return wait((await answer.json()).seconds_left);
  }

  /* Another window may have kept the session alive. Without an answer the clock decides. */
  function look() {
    ask({}).catch(() => (Date.now() >= over ? leave() : wait((over - Date.now()) / 1000)));
  }

  function keep() {
    keptAt = Date.now();
    const body = new URLSearchParams({ csrf: token.value });
    ask({ method: "POST", body }).catch(() => {});
  }

  function work() {
    if (Date.now() - keptAt > KEEP_EVERY_MS || !notice.hidden) keep();
  }

  notice.querySelector("button").addEventListener("click", keep);
  for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, work, { passive: true });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") look();
  });
  wait(whole);
})();
