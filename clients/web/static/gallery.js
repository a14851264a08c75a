/* What the pages do by themselves: the live stream, keys, copying, prices, one click only. Everything else works without. */
(() => {
  "use strict";
  const find = (selector) => document.querySelector(selector);
  document.documentElement.classList.add("scripted");

  /* Times in the reader's own zone. */
  const localTimes = (root) => {
    const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
    root.querySelectorAll("time[datetime]").forEach((each) => {
      const moment = new Date(each.dateTime);
      if (!Number.isNaN(moment.valueOf())) each.textContent = format.format(moment);
    });
  };

  /* The connection: said when it is lost, and when it is back. */
  const connection = find("#connection");
  let lost = false;
  const say = (online) => {
    if (online !== lost) return;
    lost = !online;
    connection.classList.toggle("fine", online);
    connection.textContent = connection.dataset[online ? "online" : "offline"];
    if (online) setTimeout(() => { if (!lost) connection.textContent = ""; }, 4000);
  };

  /* The stream of what is new; the browser connects again by itself, and we where it gives up. */
  let stream = null;
  let address = "";
  let pause = 1000;
  let again = 0;
  const swap = (event) => {
    const part = JSON.parse(event.data);
    const old = document.getElementById(part.id);
    if (!old) return;
    const template = document.createElement("template");
    template.innerHTML = part.html.trim();
    const fresh = template.content.firstElementChild;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    const said = fresh.dataset.announce;
    if (said && said !== old.dataset.announce) find("#announcer").textContent = said;
    old.replaceWith(fresh);
    /* The page of a failure, once fetched, counts as seen: the gallery need not tell of it again. */
    if ("failed" in fresh.dataset) fetch(location.href, { keepalive: true }).catch(() => say(false));
    window.htmx.process(fresh);
    localTimes(fresh);
    if (focused) (document.getElementById(focused) || find("#main")).focus({ preventScroll: true });
  };
  /* Only the first page changes under the reader's eyes; and whoever turns a page goes before what is new. */
  let stale = 0;
  let paging = 0;
  const refresh = () => {
    clearTimeout(stale);
    stale = setTimeout(() => {
      const gallery = find("#gallery");
      if (!gallery || paging) return;
      if (!gallery.dataset.first) { find("#fresh").hidden = false; return; }
      window.htmx.ajax("GET", location.pathname + location.search, {
        source: "#gallery", target: "#gallery", select: "#gallery", swap: "outerHTML show:none",
      }).catch(() => { /* Somebody turned the page meanwhile, or the connection was lost: events of htmx tell of it. */ });
    }, 150);
  };
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.id === "gallery") return;
    paging += 1;
    if (find("#gallery")) window.htmx.trigger("#gallery", "htmx:abort");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id !== "gallery") paging = Math.max(0, paging - 1);
  });
  /* A page whose stream has not noticed, or that has none, asks whether the gallery is back. */
  const probe = () => {
    clearTimeout(again);
    if (stream) { stream.close(); stream = null; }
    connect();
    if (stream) return;
    fetch("/healthz", { cache: "no-store" }).then(() => say(true), () => { again = setTimeout(probe, 2000); });
  };
  const connect = () => {
    clearTimeout(again);
    const wanted = (find("#live-now") || find("#main")).dataset.live || "";
    if (stream && wanted === address && stream.readyState !== EventSource.CLOSED) return;
    if (stream) stream.close();
    stream = null;
    address = wanted;
    if (!wanted) return;
    const source = new EventSource(wanted);
    stream = source;
    source.addEventListener("hello", () => { pause = 1000; say(true); });
    source.addEventListener("swap", swap);
    source.addEventListener("refresh", refresh);
    source.addEventListener("away", () => say(false));
    source.addEventListener("back", () => { say(true); refresh(); });
    source.addEventListener("bye", () => source.close());
    source.addEventListener("error", () => {
      if (source !== stream) return;
      say(false);
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(again);
      again = setTimeout(connect, pause);
      pause = Math.min(pause * 2, 10000);
    });
  };
  window.addEventListener("pagehide", () => { if (stream) { stream.close(); stream = null; } });
  window.addEventListener("pageshow", connect);
  window.addEventListener("offline", () => say(false));
  /* The old stream may be dead without having noticed: a new one says hello. */
  window.addEventListener("online", () => {
    if (stream) stream.close();
    stream = null;
    connect();
    if (!stream) say(true);
  });
  document.addEventListener("htmx:afterSettle", () => { paging = 0; localTimes(document); connect(); });
  document.addEventListener("htmx:sendError", () => { say(false); probe(); });
  /* Signed out meanwhile, or gone: the page itself says it. What only refreshes is asked for again anyway. */
  document.addEventListener("htmx:responseError", ({ detail }) => {
    if (detail.elt.id === "gallery" && detail.xhr.status !== 401) return;
    location.assign(detail.elt.href || location.href);
  });
  /* Whoever pages by keys stays on the pager also where its end is reached. */
  let held = "";
  document.addEventListener("htmx:beforeSwap", () => { held = document.activeElement.id; });
  document.addEventListener("htmx:afterSettle", () => {
    if (!held || document.activeElement !== document.body) return;
    const other = { newer: "older", older: "newer" }[held];
    (document.getElementById(held) || document.getElementById(other) || find("#main")).focus({ preventScroll: true });
  });

  /* Keys. */
  const follow = (selector) => { const link = find(selector); if (link) link.click(); return Boolean(link); };
  const letters = find("#letters");
  const kept = (change) => { try { return change(localStorage); } catch { return null; /* Not allowed to keep anything. */ } };
  letters.checked = kept((store) => store.getItem("letters")) !== "off";
  letters.addEventListener("change", () => kept((store) => store.setItem("letters", letters.checked ? "on" : "off")));
  const keys = {
    ArrowLeft: () => follow("[rel=prev]"),
    ArrowRight: () => follow("[rel=next]"),
    KeyN: () => { location.href = "/create/imagen4"; return true; },
    KeyG: () => { location.href = "/"; return true; },
    KeyF: () => follow("#favorite"),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest("input, textarea, select, video, dialog")) return;
    if (event.key === "?" || event.key === ",") {
      if (event.key === "?" || event.shiftKey) { find("#keys").showModal(); event.preventDefault(); }
      return;
    }
    if (event.code.startsWith("Key") && !letters.checked) return;
    if (!event.shiftKey && keys[event.code] && keys[event.code]()) event.preventDefault();
  });

  document.addEventListener("click", async (event) => {
    const open = event.target.closest("[data-open]");
    if (open) document.getElementById(open.dataset.open).showModal();
    const copy = event.target.closest("[data-copy]");
    if (!copy) return;
    const text = document.getElementById(copy.dataset.copy);
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      /* Not allowed here (no TLS): the older way, which leaves the text marked for the reader if it is refused, too. */
      getSelection().selectAllChildren(text);
      if (!document.execCommand("copy")) return;
    }
    copy.textContent = `✓ ${document.body.dataset.copied}`;
    find("#announcer").textContent = document.body.dataset.copied;
  });

  /* One click only: the request's id makes a second one harmless, this makes it invisible. */
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".order, .once")) return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
    const button = event.submitter || event.target.querySelector("button");
    setTimeout(() => { button.disabled = true; }, 0);
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("button").forEach((each) => { each.disabled = false; });
  }));

  document.addEventListener("change", (event) => {
    if (event.target.name === "output_count") {
      find("#price").textContent = event.target.dataset.credits;
      find("#stays").textContent = event.target.dataset.stays;
    }
    if (event.target.id === "reference") {
      const preview = find("#reference-preview");
      if (preview.src.startsWith("blob:")) URL.revokeObjectURL(preview.src);
      preview.hidden = !event.target.files.length;
      if (event.target.files.length) preview.src = URL.createObjectURL(event.target.files[0]);
    }
  });
  localTimes(document);
  /* Screen readers read out what changes, and not what was there when the page came. */
  const notice = find(".notice[role=status] p");
  if (notice) setTimeout(() => { find("#announcer").textContent = notice.textContent; }, 200);
})();
