/* Loa on any page:  <script src="https://…/widget.js" defer></script>
 *   data-position="left"   the button stands on the left (default: right)
 *   data-c="…"             the campaign that the talk counts for
 *   data-lang="rad"        the language that the talk begins in (default: vi)
 * The host page's Content-Security-Policy must allow Loa's address in script-src and frame-src; no inline style is used.
 * One global is taken, as a guard against the tag standing twice: loaWidget.
 */
(() => {
  "use strict";

  const script = document.currentScript;
  if (!script || window.loaWidget) return;
  window.loaWidget = true;

  const spoken = {{ words | tojson }};
  const asked = script.dataset.lang;
  const language = spoken[asked] ? asked : "vi";
  const words = spoken[language];
  const chat = new URL("./?embed=1", script.src);
  if (asked) chat.searchParams.set("lang", asked);
  if (script.dataset.c) chat.searchParams.set("c", script.dataset.c);
  const side = script.dataset.position === "left" ? "left" : "right";

  const STYLE = `
    :host { all: initial; }
    button { display: grid; place-items: center; padding: 0; border: 0; cursor: pointer; touch-action: manipulation; }
    button:focus-visible { outline: 3px solid #f4c667; outline-offset: 2px; }
    svg { display: block; }
    [hidden] { display: none !important; }
    .open { position: fixed; z-index: 2147483000; ${side}: max(16px, env(safe-area-inset-${side})); bottom: max(16px, env(safe-area-inset-bottom));
      display: flex; align-items: center; gap: 10px; height: 60px; padding: 0 20px 0 12px; border-radius: 24px; border-bottom-${side}-radius: 6px;
      background: #0a4d57; color: #fff; box-shadow: 0 4px 18px rgba(0, 0, 0, .3), 0 0 0 2px #fff;
      font: 600 17px/1.2 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; }
    .open:hover { background: #0f6470; }
    .panel { position: fixed; z-index: 2147483001; ${side}: 16px; bottom: 16px; width: min(400px, calc(100vw - 32px)); height: min(680px, calc(100vh - 32px));
      overflow: hidden; border-radius: 16px; background: linear-gradient(#0a4d57 66px, #8aa 66px, #f1f5f3 67px); box-shadow: 0 8px 40px rgba(0, 0, 0, .35); }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    .close { position: absolute; z-index: 1; top: 10px; right: 8px; width: 46px; height: 46px; border-radius: 50%; background: rgba(0, 0, 0, .25); }
    .close:hover { background: rgba(0, 0, 0, .45); }
    @media (max-width: 600px) {
      .open { padding: 0 11px; }
      .open span { display: none; }
      .panel { inset: 0; width: 100%; height: 100vh; height: 100dvh; border-radius: 0; }
      .close { top: calc(10px + env(safe-area-inset-top)); }
    }
    @media print { .open, .panel { display: none; } }
  `;

  const HORN = [
    ["M5.5 13v6h4l9.5 6V7l-9.5 6z", { fill: "#fff" }],
    ["M22.3 12a6 6 0 0 1 0 8M25.4 9a10 10 0 0 1 0 14", { fill: "none", stroke: "#f4c667", "stroke-width": "2.2", "stroke-linecap": "round" }],
  ];
  const CROSS = [["M9 9l14 14M23 9L9 23", { fill: "none", stroke: "#fff", "stroke-width": "2.6", "stroke-linecap": "round" }]];

  function icon(size, paths) {
    const make = (tag, attributes) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const name of Object.keys(attributes)) element.setAttribute(name, attributes[name]);
      return element;
    };
    const svg = make("svg", { viewBox: "0 0 32 32", width: size, height: size, "aria-hidden": "true", focusable: "false" });
    for (const [d, look] of paths) svg.append(make("path", Object.assign({ d }, look)));
    return svg;
  }

  function button(className, label, ...content) {
    const element = document.createElement("button");
    element.type = "button";
    element.className = className;
    element.setAttribute("aria-label", label);
    element.title = label;
    element.append(...content);
    return element;
  }

  /* A constructed sheet is no inline style, so a strict policy of the host lets it through; old browsers get <style>. */
  function dress(root) {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch (_) {
      const style = document.createElement("style");
      style.textContent = STYLE;
      root.append(style);
    }
  }

  const host = document.createElement("loa-widget");
  host.lang = language;
  const root = host.attachShadow({ mode: "open" });
  dress(root);

  const name = document.createElement("span");
  name.textContent = words.title;
  const opener = button("open", words.open_chat, icon(38, HORN), name);
  opener.setAttribute("aria-haspopup", "dialog");
  const closer = button("close", words.close_chat, icon(26, CROSS));
  const panel = document.createElement("div");
  panel.className = "panel";
  panel.hidden = true;
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-label", words.title);
  panel.append(closer);
  root.append(opener, panel);

  let frame = null;

  function open() {
    panel.hidden = false;
    opener.hidden = true;
    closer.focus();
    if (frame) greet();
    else load();
  }

  function load() {
    frame = document.createElement("iframe");
    frame.title = words.title;
    frame.addEventListener("load", greet);
    frame.src = chat.href;
    panel.append(frame);
  }

  /* The page puts the cursor into its input if there is a keyboard at hand. */
  function greet() {
    if (panel.hidden) return;
    frame.contentWindow.postMessage({ loa: "opened" }, chat.origin);
  }

  function close() {
    if (panel.hidden) return;
    panel.hidden = true;
    opener.hidden = false;
    opener.focus();
  }

  opener.addEventListener("click", open);
  closer.addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) close();
  });
  addEventListener("message", (event) => {
    const isOurs = frame && event.source === frame.contentWindow && event.origin === chat.origin;
    if (isOurs && event.data && event.data.loa === "close") close();
  });

  document.body.append(host);
})();
