// The board's filter answers a choice at once; without this script there is the Apply button.
"use strict";
(() => {
  const form = document.forms.namedItem("filters");
  if (!form) return;
  const kept = "grue-focus";

  // Empty fields say nothing: leave them out of the address.
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });

  // A list that is walked by keyboard changes at every step: wait until the reader has stopped.
  let waiting = 0;
  form.addEventListener("change", (event) => {
    const field = event.target;
    if (!field.matches("select")) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      try { sessionStorage.setItem(kept, field.id); } catch { /* no storage: the focus starts anew */ }
      form.requestSubmit();
    }, 400);
  });
  form.addEventListener("submit", () => clearTimeout(waiting));

  // The page that answers begins where the reader was; going to the ranking takes the focus away, so after it.
  addEventListener("load", () => setTimeout(() => {
    try {
      const field = document.getElementById(sessionStorage.getItem(kept) ?? "");
      sessionStorage.removeItem(kept);
      if (field) field.focus({ preventScroll: true });
    } catch { /* no storage */ }
  }));

  // Two to five runs can be compared: say so before the form is sent.
  const compare = document.forms.namedItem("compare");
  const boxes = [...document.querySelectorAll("input[name=runs][form=compare]")];
  const button = compare?.querySelector("button");
  if (!button) return;
  const label = button.textContent;
  const count = () => {
    const chosen = new Set(boxes.filter((box) => box.checked).map((box) => box.value)).size;
    button.textContent = chosen ? `${label} (${chosen}${chosen > 5 ? ", five at most" : ""})` : label;
  };
  // A pinned run has two boxes: they are one choice.
  document.addEventListener("change", (event) => {
    if (event.target.form !== compare) return;
    for (const box of boxes) if (box.value === event.target.value) box.checked = event.target.checked;
    count();
  });
  count();
})();
