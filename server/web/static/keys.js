// The key "/" goes to the search from wherever somebody is, unless they are
// writing: a case code is looked up while the caller spells it.
addEventListener("keydown", (e) => {
  if (e.key !== "/" || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.getElementById("q");
  if (!search) return;
  e.preventDefault();
  search.focus();
  search.select();
});
