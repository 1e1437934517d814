// A submission's page while it runs: the sentence, the bar and the log as the server tells them.
(() => {
  "use strict";
  const live = () => document.querySelector("[data-events]");
  const sentence = document.querySelector("[data-sentence]");
  if (!live() || !window.EventSource) return;
  const source = new EventSource(live().dataset.events);

  // The server has another page now: its part replaces ours, the sentence stays so that it is read out.
  async function renew() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return location.reload();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.querySelector("[data-live]");
    if (!next) return location.reload();
    document.querySelector("[data-live]").replaceWith(next);
    document.title = page.title;
    sentence.textContent = page.querySelector("[data-sentence]").textContent;
    if (!next.dataset.events) source.close();
  }

  function extend(lines) {
    const log = document.querySelector("[data-log]");
    const fresh = lines.filter(([number]) => !log || number > Number(log.dataset.log));
    if (!fresh.length) return;
    if (!log) return renew();
    const box = log.parentElement;
    const isAtEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 4;
    for (const [number, at, text] of fresh) {
      const time = document.createElement("time");
      time.textContent = at;
      log.append(time, ` ${text}\n`);
      log.dataset.log = number;
    }
    if (isAtEnd) box.scrollTop = box.scrollHeight;
  }

  source.addEventListener("progress", (event) => {
    const said = JSON.parse(event.data);
    if (said.sentence && said.sentence !== sentence.textContent) sentence.textContent = said.sentence;
    const label = document.querySelector("[data-bar]");
    if (said.bar && !label) return renew();
    if (said.bar) {
      label.textContent = said.bar.label;
      Object.assign(document.querySelector("progress"), { max: said.bar.total, value: said.bar.done });
    }
    extend(said.log);
  });
  source.addEventListener("changed", renew);
})();
