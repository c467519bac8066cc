// @ts-nocheck: it runs in a browser, whose names are none of Node's; test/report/page.test.ts runs it there.
// Everything is on the page without it; it only hides what is not asked for.
(() => {
  const form = document.getElementById("filter");
  const text = document.getElementById("text");
  const host = document.getElementById("host");
  const shown = document.getElementById("shown");
  const evidence = document.getElementById("evidence");
  const hosts = [...document.querySelectorAll("article.host")].map((article) => ({
    article,
    nothing: article.querySelector(".nothing"),
    rows: [...article.querySelectorAll("tr.control")].map((row) => ({ row, verdict: row.dataset.verdict, words: undefined })),
  }));
  const total = hosts.reduce((sum, { rows }) => sum + rows.length, 0);

  function apply() {
    const wanted = new Set([...form.querySelectorAll("[name=verdict]:checked")].map(({ value }) => value));
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let visible = 0;
    for (const { article, nothing, rows } of hosts) {
      article.hidden = host.value !== "" && article.id !== host.value;
      let here = 0;
      for (const each of rows) {
        // Only once somebody looks for a text: with hundreds of hosts it takes seconds.
        if (words.length > 0) each.words ??= each.row.textContent.toLowerCase();
        const hidden = !wanted.has(each.verdict) || !words.every((word) => each.words.includes(word));
        if (each.row.hidden !== hidden) each.row.hidden = hidden;
        if (!hidden) here++;
      }
      if (nothing) {
        nothing.hidden = here > 0;
        nothing.previousElementSibling.hidden = here === 0;
      }
      if (!article.hidden) visible += here;
    }
    shown.textContent = `${visible} of ${total} controls`;
  }

  evidence.addEventListener("click", () => {
    const open = evidence.getAttribute("aria-pressed") !== "true";
    evidence.setAttribute("aria-pressed", String(open));
    evidence.textContent = open ? "Hide all evidence" : "Show all evidence";
    for (const details of document.querySelectorAll("main details")) details.open = open;
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", apply);
  form.hidden = false;
  apply();
})();
