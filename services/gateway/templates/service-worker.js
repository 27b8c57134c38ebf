// Keeps one page for the moments without a network, and its style sheet. Nothing else: no page of a person, none of a
// vote, and never an answer to a form. The page stands here, so that keeping it costs a first visit no further request;
// its style sheet comes from what the browser has just loaded.
const NAME = "{{ name }}";
const PAGE = "/hors-ligne";
const KEPT = {{ kept | tojson }};
const STYLE = "{{ asset('parvis.css') }}";
const HEADERS = { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": {{ policy | tojson }} };
const NOT_OURS = /^\/(?:agent|connexion|deconnexion|messages|mon-espace)(?:\/|$)|\/(?:voter|recu|suivi)(?:\/|$)/;

self.addEventListener("install", (event) => {
  // Without cookies: what is kept is nobody's.
  const style = new Request(STYLE, { credentials: "omit" });
  const keep = (kept) => Promise.all([kept.add(style), kept.put(PAGE, new Response(KEPT, { headers: HEADERS }))]);
  event.waitUntil(caches.open(NAME).then(keep).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(old).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || NOT_OURS.test(url.pathname)) return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(PAGE)));
  } else if (url.pathname === STYLE) {
    event.respondWith(fetch(request).catch(() => caches.match(STYLE)));
  }
});
