// Tells a page that still lives from one whose node has gone: the frame renews data-beat each second.
(() => {
  const PATIENCE = 5000;
  let last = Date.now();
  const beat = () => { last = Date.now(); document.body.classList.remove("is-stale"); };
  new MutationObserver((changes) => {
    if (changes.some((one) => one.target.id === "beat")) beat();
  }).observe(document.documentElement, {subtree: true, attributes: true, attributeFilter: ["data-beat"]});
  setInterval(() => {
    if (document.hidden) { last = Math.max(last, Date.now() - PATIENCE + 2000); return; }
    document.body.classList.toggle("is-stale", Date.now() - last > PATIENCE);
  }, 500);
  // A node that was restarted keeps its address and its token: once it answers, the page starts anew.
  setInterval(async () => {
    if (!document.body.classList.contains("is-stale")) return;
    try {
      const answer = await fetch("/status", {cache: "no-store", signal: AbortSignal.timeout(1500)});
      if (answer.status === 401) document.body.classList.add("is-strange");
      else location.reload();
    } catch { /* it is still away */ }
  }, 2000);
  window.chooseLook = (look) => {
    document.cookie = `concurrent-look=${look}; path=/; max-age=31536000; samesite=strict`;
  };
})();
