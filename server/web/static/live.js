// Keeps an open page up to date. The server only notifies it of a change. The page then
// requests itself again and replaces the element #live; a list requests the rows that have
// changed since its revision. So all HTML comes from the templates.
(() => {
  "use strict";
  const here = document.getElementById("live");
  const pulse = document.getElementById("pulse");
  const said = document.getElementById("said");
  const minute = 60_000;

  // Relative times are updated without the server, but by its clock, because the clock of this
  // computer may be wrong.
  const words = JSON.parse(document.body.dataset.ages);
  let ahead = 0; // offset of the server's clock in ms
  function setClock(now) {
    ahead = Date.parse(now) - Date.now();
  }

  function ago(ms) {
    const many = (n, unit) => (n === 1 ? words[unit] : words[unit + "s"].replace("{n}", n));
    if (ms < minute) return words.now;
    if (ms < 60 * minute) return many(Math.floor(ms / minute), "minute");
    if (ms < 24 * 60 * minute) return many(Math.floor(ms / (60 * minute)), "hour");
    return many(Math.floor(ms / (24 * 60 * minute)), "day");
  }

  function countOn() {
    const now = Date.now() + ahead;
    for (const e of here.querySelectorAll("[data-ago]")) {
      const text = ago(now - Date.parse(e.closest("time").dateTime));
      if (e.textContent !== text) e.textContent = text;
    }
  }

  function beat(alive) {
    pulse.hidden = false;
    pulse.textContent = alive ? pulse.dataset.alive : pulse.dataset.lost;
    pulse.classList.toggle("lost", !alive);
  }

  // Versions of the elements that can contain news, by id.
  const versions = () => new Map([...here.querySelectorAll("[data-version]")].map((e) => [e.id, e.dataset.version]));

  // announced returns the announcement of an element with news: for a row of the list, its content.
  function announced(e) {
    if ("say" in e.dataset) return e.dataset.say;
    const text = (part) => e.querySelector(part)?.textContent;
    const sentence = text(".sentence");
    return `${text("bdi")}: ${text(".state")}${sentence ? `. ${sentence}` : ""}`;
  }

  // exchange calls change, which modifies the page, and preserves open details and the focus. It
  // highlights and announces news.
  function exchange(change) {
    const before = versions();
    const open = [...here.querySelectorAll("details[open]")].map((e) => e.id);
    const focus = placeOf(document.activeElement);
    change();
    countOn();
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (!here.contains(document.activeElement)) focus?.()?.focus({ preventScroll: true });
    const news = [...here.querySelectorAll("[data-version]")].filter((e) => before.get(e.id) !== e.dataset.version);
    for (const e of news) e.classList.add("fresh");
    if (news.length > 3) said.textContent = said.dataset.many;
    else if (news.length > 0) said.textContent = news.map(announced).join(" ");
  }

  // keepTyped moves the forms with text that was typed into the new content, as long as they still
  // fit: the same data-keep.
  function keepTyped(next) {
    for (const form of here.querySelectorAll("[data-keep]")) {
      const other = next.querySelector(`#${form.id}`);
      if (other?.dataset.keep === form.dataset.keep) other.replaceWith(form);
    }
  }

  function take(next) {
    exchange(() => {
      keepTyped(next);
      here.replaceChildren(...next.childNodes);
      Object.assign(here.dataset, next.dataset); // now and revision
      setClock(here.dataset.now);
    });
  }

  const built = (html) => {
    const t = document.createElement("template");
    t.innerHTML = html;
    return t.content.firstElementChild;
  };

  // takeChanges applies the changes that the server has sent (see changes.go).
  function takeChanges(changes) {
    const rows = here.querySelector("tbody");
    exchange(() => {
      setClock(changes.now);
      for (const id of changes.gone ?? []) document.getElementById(id).remove();
      for (const row of changes.rows ?? []) {
        document.getElementById(row.id)?.remove();
        const next = built(row.html);
        if (row.after) document.getElementById(row.after).after(next);
        else rows.prepend(next);
      }
      for (const part of changes.parts ?? []) document.getElementById(part.id).replaceWith(built(part.html));
      here.dataset.revision = changes.revision;
    });
  }

  // placeOf returns a function that finds the focused element again after the exchange: the same
  // link in the same part, or the same summary.
  function placeOf(e) {
    if (!e || !here.contains(e)) return null;
    const part = e.closest("[id]")?.id;
    const link = e.getAttribute("href");
    return () => {
      const root = (part && document.getElementById(part)) || here;
      if (root.tagName === e.tagName) return root;
      return [...root.querySelectorAll("a, button, summary, [tabindex]")].find((c) => c.getAttribute("href") === link && c.tagName === e.tagName);
    };
  }

  // ask returns the response. If the session has ended or the participant was deleted, it reloads
  // the page and returns nothing.
  async function ask(address) {
    const answer = await fetch(address, { cache: "no-store" });
    if (answer.status !== 404 && new URL(answer.url).pathname === new URL(address, location.href).pathname) return answer;
    location.reload();
  }

  async function refreshWhole() {
    const address = new URL(location.href);
    if (here.dataset.changes) address.searchParams.set("open", "1"); // a list remains one (list.go)
    const answer = await ask(address.href);
    if (!answer?.ok) return;
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    if (next) take(next);
  }

  // refreshList returns true if the list is up to date or the page is being reloaded.
  async function refreshList() {
    const { changes, revision } = here.dataset;
    if (!changes) return false;
    const address = new URL(changes, location.href);
    address.searchParams.set("since", revision);
    const answer = await ask(address.href);
    if (!answer) return true;
    const found = answer.ok ? await answer.json() : { whole: true };
    if (found.whole) return false;
    try {
      takeChanges(found);
      return true;
    } catch {
      return false; // something else has modified the page, such as an extension
    }
  }

  // refreshRetest replaces the part of the page that shows a retest.
  let fetching = false;
  let fetchAgain = false;
  async function refreshRetest() {
    const part = here.querySelector("[data-part]");
    if (!part) return refresh();
    if (fetching) {
      fetchAgain = true;
      return;
    }
    fetching = true;
    try {
      const answer = await ask(part.dataset.part);
      if (answer?.ok) {
        const next = built((await answer.json()).html);
        exchange(() => here.querySelector("[data-part]").replaceWith(next));
      }
    } catch {
      beat(false);
    } finally {
      fetching = false;
      if (fetchAgain) {
        fetchAgain = false;
        refreshRetest();
      }
    }
  }

  let busy = false;
  let again = false;
  async function refresh() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      if (!(await refreshList())) await refreshWhole();
    } catch {
      beat(false); // the stream reconnects by itself
    } finally {
      busy = false;
      if (again) {
        again = false;
        setTimeout(refresh, 1000);
      }
    }
  }

  let stream;
  function listen() {
    let lost = false;
    stream = new EventSource(document.body.dataset.stream);
    stream.addEventListener("open", () => {
      beat(true);
      if (lost) refresh(); // events have been missed
      lost = false;
    });
    stream.addEventListener("change", refresh);
    stream.addEventListener("retest", refreshRetest);
    stream.addEventListener("signed-out", () => location.reload());
    stream.addEventListener("error", () => {
      lost = true;
      beat(false);
      if (stream.readyState !== EventSource.CLOSED) return; // the browser reconnects
      setTimeout(() => {
        refresh(); // redirects to the login if that is the reason
        listen();
      }, minute / 2);
    });
  }
  setClock(here.dataset.now);
  listen();

  // A check becomes old without an event.
  setInterval(() => {
    if (!document.hidden) refresh();
  }, minute);
  // A page must close its connection, also when it enters the back-forward cache.
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (e) => {
    if (!e.persisted) return;
    listen();
    refresh();
  });
})();
