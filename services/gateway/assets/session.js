// The warning before a session ends: shows what the page already holds, ten minutes before, and prolongs the session
// without leaving the page, so that nothing typed is lost. Without JavaScript the page shows the same when it is asked for.
(() => {
  const box = document.getElementById("fin-de-session");
  if (!box) return;
  const form = box.querySelector("form");
  const said = box.querySelector("[data-dit]");
  let ends = Number(box.dataset.fin);
  const tell = () => {
    const left = ends - Date.now() / 1000;
    if (left > 600) {
      box.hidden = true;
    } else if (left > 0) {
      box.hidden = false;
      said.textContent = said.dataset[left > 90 ? "minutes" : "minute"].replace("{n}", Math.ceil(left / 60));
    } else {
      box.hidden = false;
      said.textContent = said.dataset.fini;
      form.hidden = true;
    }
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { Accept: "application/json" },
      });
      if (!answer.ok) throw new Error(String(answer.status));
      ends = (await answer.json()).ends;
      tell();
    } catch {
      said.textContent = said.dataset.echec;
    }
  });
  tell();
  setInterval(tell, 10_000);
})();
