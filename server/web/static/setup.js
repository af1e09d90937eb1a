// Shows the code of an invitation, which is in the fragment of the address, and links to the
// installed program. Without this script the page asks to type the code of the letter.
"use strict";
(() => {
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
