// Keeps an open page true. The server says only that something has changed; the
// page then asks for itself again and takes over its part #live. So everything
// a person sees is written in one place: the templates.
(() => {
  "use strict";
  const here = document.getElementById("live");
  const pulse = document.getElementById("pulse");
  const said = document.getElementById("said");
  const minute = 60_000;

  function beat(alive) {
    pulse.hidden = false;
    pulse.textContent = alive ? pulse.dataset.alive : pulse.dataset.lost;
    pulse.classList.toggle("lost", !alive);
  }

  // Versions of all that can have news, by id.
  const versions = () => new Map([...here.querySelectorAll("[data-version]")].map((e) => [e.id, e.dataset.version]));

  function take(next) {
    const before = versions();
    const open = [...here.querySelectorAll("details[open]")].map((e) => e.id);
    const focus = placeOf(document.activeElement);
    here.replaceChildren(...next.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    focus?.()?.focus({ preventScroll: true });
    const news = [...here.querySelectorAll("[data-version]")].filter((e) => before.get(e.id) !== e.dataset.version);
    for (const e of news) e.classList.add("fresh");
    if (news.length > 3) said.textContent = said.dataset.many;
    else if (news.length > 0) said.textContent = news.map((e) => e.dataset.say).join(" ");
  }

  // placeOf finds the focused link or summary again after the exchange: the
  // same link inside the same part, or the same summary.
  function placeOf(e) {
    if (!e || !here.contains(e)) return null;
    const part = e.closest("[id]")?.id;
    const link = e.getAttribute("href");
    return () => {
      const root = (part && document.getElementById(part)) || here;
      return [...root.querySelectorAll("a, summary, [tabindex]")].find((c) => c.getAttribute("href") === link && c.tagName === e.tagName);
    };
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
      const answer = await fetch(location.href, { cache: "no-store" });
      if (new URL(answer.url).pathname !== location.pathname) {
        location.reload(); // to the login
        return;
      }
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
      if (answer.ok && next) take(next);
    } catch {
      beat(false); // the stream's own retries bring it back
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
      if (lost) refresh(); // what happened meanwhile was not told
      lost = false;
    });
    stream.addEventListener("change", refresh);
    stream.addEventListener("signed-out", () => location.reload());
    stream.addEventListener("error", () => {
      lost = true;
      beat(false);
      if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again
      setTimeout(() => {
        refresh(); // leads to the login when that is the reason
        listen();
      }, minute / 2);
    });
  }
  listen();

  // "3 minutes ago" grows old too.
  setInterval(() => {
    if (!document.hidden) refresh();
  }, minute);
  // A page that is left must give its connection back, even into the back-forward cache.
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (e) => {
    if (!e.persisted) return;
    listen();
    refresh();
  });
})();
