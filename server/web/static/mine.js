// Fills in the code of a person's own page, which is in the fragment of the address, and removes it
// from there, so that it does not stay in the history of the browser.
"use strict";
(() => {
  const field = document.getElementById("code");
  const fill = () => {
    const match = /^#([0-9A-Za-z-]{12,32})$/.exec(location.hash);
    if (!field || !match) return;
    field.value = match[1].toUpperCase();
    history.replaceState(null, "", location.pathname);
    field.form.querySelector("button").focus();
  };
  addEventListener("hashchange", fill); // the link was opened where this page is open already
  fill();
})();
