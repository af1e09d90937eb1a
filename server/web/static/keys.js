// The key "/" focuses the search, except in a text field: support types a case code while the
// caller spells it.
addEventListener("keydown", (e) => {
  if (e.key !== "/" || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.getElementById("q");
  if (!search) return;
  e.preventDefault();
  search.focus();
  search.select();
});
