// The balance as it changes, without loading the page again.
import { forms } from "./forms.js";

// The rest of the page follows the balance, but not more often than this.
const REST_AFTER_MS = 1500;

export function live(page) {
  if (!page?.dataset.live || !window.EventSource) return;
  let version = null;
  let waiting = null;
  const source = new EventSource(page.dataset.live);
  source.addEventListener("balance", (event) => {
    const told = JSON.parse(event.data);
    const isFirst = version === null;
    if (version === told.version) return;
    version = told.version;
    if (isFirst && String(told.version) === page.dataset.version) return;
    show(page, told);
    waiting ??= setTimeout(() => { waiting = null; rest(page); }, REST_AFTER_MS);
  });
  // The session has ended: what stands there is not followed any more.
  source.addEventListener("end", () => {
    source.close();
    page.querySelector("[data-ended]").hidden = false;
  });
  addEventListener("pagehide", () => source.close());
}

function show(page, told) {
  const balance = page.querySelector("[data-balance]");
  const money = document.createElement("data");
  money.className = "money money-xl";
  money.value = told.value;
  for (const [kind, text] of told.available) {
    if (kind === "") money.append(text);
    else {
      const part = document.createElement("span");
      part.className = kind;
      part.textContent = text;
      money.append(part);
    }
  }
  balance.replaceChildren(money);
  const updated = page.querySelector("[data-updated]");
  updated.textContent = told.updated;
  updated.dateTime = told.updated_at;
}

// Takes the parts that follow from the balance out of a fresh page. A part that somebody is in stays.
async function rest(page) {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of page.querySelectorAll("[data-part]")) {
    const name = part.dataset.part;
    const next = fresh.querySelector(`[data-part="${name}"]`);
    if (!next || part.contains(document.activeElement) || part.querySelector("details[open]:not(.explain):not(.more)")) continue;
    const open = [...part.querySelectorAll("details")].map((details) => details.open);
    const said = part.querySelector("[data-balance]");
    part.replaceChildren(...next.childNodes);
    // The number itself stays the same element, so that it is read out once.
    if (said) part.querySelector("[data-balance]")?.replaceWith(said);
    if (name !== "movements") part.querySelectorAll("details").forEach((details, at) => { details.open = open[at] ?? details.open; });
    forms(part);
  }
}
