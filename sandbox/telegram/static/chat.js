// One person's side of the chat with a bot, over the control API: shows the chat as the server tells it, and sends
// what the person does. A message is drawn anew only when it has changed, so that a film goes on playing.
"use strict";

const person = `/telegram/users/${location.pathname.split("/").pop()}`;
const WAIT_SECONDS = 25;
const PRESS_SECONDS = 30;
const TOAST_MILLISECONDS = 5000;
const RETRY_MILLISECONDS = 2000;
const TAGS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote", spoiler: "span", text_link: "a", bot_command: "a" };
const byId = (id) => document.getElementById(id);
const drawn = new Map();

async function order(method, path, body) {
  const form = body instanceof FormData;
  const answer = await fetch(path, { method, body: form || body === undefined ? body : JSON.stringify(body) });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function say(text) {
  byId("toast").textContent = text;
  byId("toast").hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { byId("toast").hidden = true; }, TOAST_MILLISECONDS);
}

// What a person does; what goes wrong is said.
const doing = (action) => (event) => Promise.resolve(action(event)).catch((error) => say(error.message));
const write = (text) => order("POST", `${person}/messages`, { text });

function piece(text, entities) {
  return entities.reduceRight((inner, entity) => {
    const wrapped = element(TAGS[entity.type] ?? "span", {}, inner);
    if (entity.type === "spoiler") wrapped.className = "spoiler";
    if (entity.type === "text_link" && /^https?:/.test(entity.url)) wrapped.href = entity.url;
    if (entity.type === "bot_command") {
      wrapped.href = "#";
      wrapped.onclick = doing((event) => { event.preventDefault(); return write(text); });
    }
    return wrapped;
  }, document.createTextNode(text));
}

// Offsets count UTF-16 code units, as strings do here.
function formatted(text, entities) {
  const edges = new Set([0, text.length, ...entities.flatMap((each) => [each.offset, each.offset + each.length])]);
  const places = [...edges].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => piece(
    text.slice(places[index], end),
    entities.filter((each) => each.offset <= places[index] && each.offset + each.length >= end),
  ));
}

function media(shown) {
  const size = { width: shown.width, height: shown.height };
  if (shown.kind === "photo") return element("img", { src: shown.path, alt: "", ...size });
  if (shown.kind === "document") return element("a", { href: shown.path, download: shown.name }, `📄 ${shown.name}`);
  const moving = shown.kind === "animation" ? { autoplay: true, loop: true, muted: true } : {};
  return element("video", { src: shown.path, controls: true, ...size, ...moving });
}

async function press(message, button) {
  const body = { message_id: message.message_id, button: button.data, wait_seconds: PRESS_SECONDS };
  const [answer] = await order("POST", `${person}/presses`, body);
  if (!answer.answered) say("The bot did not answer the press.");
  else if (answer.is_alert) alert(answer.text);
  else if (answer.text) say(answer.text);
}

function buttonOf(message, button) {
  if (button.url) return element("a", { href: button.url, target: "_blank", rel: "noopener" }, `${button.text} ↗`);
  const made = element("button", { type: "button" }, button.text);
  if (button.data) made.onclick = doing(() => press(message, button));
  if (button.copy_text) made.onclick = doing(() => navigator.clipboard.writeText(button.copy_text));
  return made;
}

function bubble(message) {
  const made = element("article", { className: message.from_bot ? "bot" : "person" });
  made.dataset.id = message.message_id;
  if (message.media) made.append(media(message.media));
  made.append(element("div", { className: "text" }, ...formatted(message.text, message.entities)));
  if (message.edit_time) made.append(element("span", { className: "meta" }, "edited"));
  for (const row of message.buttons) {
    made.append(element("div", { className: "row" }, ...row.map((button) => buttonOf(message, button))));
  }
  return made;
}

function show(chat) {
  const list = byId("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const there = new Set(chat.messages.map((message) => message.message_id));
  for (const [id, old] of drawn) if (!there.has(id)) { old.node.remove(); drawn.delete(id); }
  for (const message of chat.messages) {
    const state = JSON.stringify(message);
    const old = drawn.get(message.message_id);
    if (old?.state === state) continue;
    const node = bubble(message);
    if (old) old.node.replaceWith(node); else list.append(node);
    drawn.set(message.message_id, { state, node });
  }
  byId("action").textContent = chat.action && `${chat.action.replaceAll("_", " ")} …`;
  byId("blocked").checked = chat.blocked;
  byId("keyboard").replaceChildren(...chat.keyboard.flat().map(
    (text) => element("button", { type: "button", onclick: doing(() => write(text)) }, text)));
  if (atEnd) list.scrollTop = list.scrollHeight;
}

async function showBot() {
  const about = await order("GET", `${person}/commands`);
  byId("bot").textContent = about.name;
  byId("about").textContent = about.short_description;
  const start = { command: "start", description: "START" };
  const commands = about.commands.some((each) => each.command === "start") ? [] : [start];
  byId("commands").replaceChildren(...[...commands, ...about.commands].map(({ command, description }) =>
    element("button", { type: "button", onclick: doing(() => write(`/${command}`)) }, description)));
}

async function watch() {
  for (let seen = -1; ;) {
    try {
      const chat = await order("GET", `${person}/chat?seen=${seen}&wait_seconds=${WAIT_SECONDS}`);
      seen = chat.change;
      show(chat);
    } catch (error) {
      say(error.message);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
    }
  }
}

byId("composer").onsubmit = doing(async (event) => {
  event.preventDefault();
  const text = byId("text").value;
  byId("text").value = "";
  await write(text);
});
byId("text").onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); byId("composer").requestSubmit(); }
};
byId("file").onchange = doing(async (event) => {
  const [file] = event.target.files;
  const form = new FormData();
  form.append("file", file);
  event.target.value = "";
  const kind = file.type.startsWith("image/") ? "photos" : file.type === "video/mp4" ? "videos" : "documents";
  await order("POST", `${person}/${kind}`, form);
});
byId("language").onchange = doing(async (event) => {
  await order("PUT", person, { language_code: event.target.value });
  await showBot();
});
byId("blocked").onchange = doing((event) => order("PUT", `${person}/blocked`, { blocked: event.target.checked }));

(async () => {
  const known = await order("PUT", person, {});
  const language = known.language_code ?? (navigator.language.startsWith("ru") ? "ru" : "en");
  byId("language").value = language;
  await order("PUT", person, { language_code: language });
  await showBot();
  await watch();
})();
