// Shows the code of an invitation, which is in the fragment of the address, and links to the
// installed program. Without this script the page asks to type the code of the letter. On a tablet or a
// phone, the check in the browser comes first.
"use strict";
(() => {
  const browser = document.getElementById("in-browser"), computer = document.getElementById("on-computer");
  const agent = navigator.userAgent; // an iPad calls itself a Mac
  const tablet = /iPad|iPhone|Android/.test(agent) || (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1) || matchMedia("(pointer: coarse)").matches;
  if (browser && computer && tablet) {
    computer.before(browser);
    browser.classList.add("first");
    document.getElementById("check-link").classList.add("strong");
    document.getElementById("computer-title").hidden = false;
  }
  const part = document.getElementById("invitation");
  const match = /^#([0-9A-Za-z-]{8,32})(\/[A-Za-z0-9_-]{43})?$/.exec(location.hash.replace(/%2F/i, "/"));
  if (!part || !match) return;
  part.querySelector(".bigcode").textContent = match[1].toUpperCase();
  const link = part.querySelector("a");
  if (link && link.dataset.link) link.href = link.dataset.link + match[1] + (match[2] || "");
  const check = document.getElementById("check-link");
  if (check) check.href += "#" + match[1];
  part.hidden = false;
  document.getElementById("typed").hidden = true;
})();
