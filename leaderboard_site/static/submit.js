// The form of a submission: files may be dropped anywhere on it, one that is too large is refused before it is sent,
// and a checkpoint goes in pieces that continue where they stopped.
(() => {
  "use strict";
  const form = document.querySelector("form.submitting");
  if (!form) return;
  const file = form.elements.file, said = form.querySelector("[data-said]"), wrong = form.querySelector("[data-wrong]");
  const refuse = (text) => { wrong.textContent = text; said.textContent = ""; };
  const size = () => Array.from(file ? file.files : []).reduce((sum, one) => sum + one.size, 0);

  function check() {
    const isTooLarge = size() > Number(form.dataset.mostBytes);
    refuse(isTooLarge ? `Too large: at most ${form.dataset.most} may be sent here.` : "");
    return !isTooLarge;
  }

  if (file) {
    file.addEventListener("change", check);
    form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
    form.addEventListener("dragleave", (event) => { if (!form.contains(event.relatedTarget)) form.classList.remove("over"); });
    form.addEventListener("drop", (event) => {
      event.preventDefault();
      form.classList.remove("over");
      if (!event.dataTransfer.files.length) return;
      file.files = event.dataTransfer.files;
      check();
      form.querySelector("button").focus();
    });
  }

  async function ask(method, address, body, type) {
    const headers = { Accept: "application/json", ...(type ? { "Content-Type": type } : {}) };
    const answer = await fetch(`/api/v1/uploads/files${address}`, { method, body, headers });
    const found = await answer.json();
    if (!answer.ok && found.offset === undefined) {
      throw Object.assign(new Error(`${found.title}. ${found.detail}`), { status: answer.status });
    }
    return found;
  }

  async function hashed(one) {
    const hash = new Sha256();
    for (let at = 0; at < one.size; at += 4 << 20) {
      hash.add(new Uint8Array(await one.slice(at, at + (4 << 20)).arrayBuffer()));
      said.textContent = `Reading ${one.name}, ${Math.floor((100 * at) / one.size)} %`;
    }
    return hash.hex();
  }

  async function send(one, checkpoint) {
    const announced = { name: one.name, size: one.size, sha256: await hashed(one), checkpoint };
    const begun = await ask("POST", "", JSON.stringify(announced), "application/json").catch((error) => {
      // Submitted or deleted since; the first file begins another.
      if (error.status !== 404 || !checkpoint) throw error;
      return ask("POST", "", JSON.stringify({ ...announced, checkpoint: null }), "application/json");
    });
    for (let at = begun.offset, failed = 0; at < one.size; ) {
      try {
        const piece = one.slice(at, at + begun.piece_bytes);
        at = (await ask("PATCH", `/${begun.id}?offset=${at}`, piece, "application/octet-stream")).offset;
        failed = 0;
        said.textContent = `Sending ${one.name}, ${Math.floor((100 * at) / one.size)} %`;
      } catch (error) {
        if (++failed > 5) throw error;
        said.textContent = `The connection broke; ${one.name} goes on in a moment.`;
        await new Promise((done) => setTimeout(done, 2000 * failed));
        at = (await ask("GET", `/${begun.id}`)).offset;
      }
    }
    if (!begun.finished) await ask("POST", `/${begun.id}/finish`);
    return begun.checkpoint;
  }

  form.addEventListener("submit", async (event) => {
    if (!check()) return event.preventDefault();
    const files = form.dataset.kind === "model" && file ? Array.from(file.files) : [];
    if (!files.length) {
      said.textContent = "Sending, then checking.";
      return;
    }
    event.preventDefault();
    // Kept, so that the same files go on after the page was closed.
    const key = `grue ${files.map((one) => `${one.name} ${one.size}`).sort().join()}`;
    let checkpoint = localStorage.getItem(key);
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      for (const one of files) {
        checkpoint = await send(one, checkpoint);
        localStorage.setItem(key, checkpoint);
      }
      localStorage.removeItem(key);
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "checkpoint", value: checkpoint }));
      file.disabled = true;
      said.textContent = "Checking.";
      form.submit();
    } catch (error) {
      button.disabled = false;
      refuse(`${error.message} Press the button again to go on.`);
    }
  });
})();
