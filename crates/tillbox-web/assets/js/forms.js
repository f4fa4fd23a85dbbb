// Forms: sent once, with the amount on the button before it is pressed.
import { plain, read, write } from "./money.js";

export function forms(root) {
  root.querySelectorAll("form[data-once]").forEach(once);
  root.querySelectorAll("form[data-funds]").forEach(funds);
  root.querySelectorAll("form[data-recharge]").forEach(recharge);
  root.querySelectorAll("form[data-theme-form]").forEach(theme);
  root.querySelectorAll("[data-copy]").forEach(copy);
}

// A form that is being sent is not sent again. The server would know by its key, too.
function once(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
  });
}

// An amount that is typed shows what is charged and what is there afterwards, as the presets do.
function funds(form) {
  const money = JSON.parse(form.dataset.money);
  const available = BigInt(form.dataset.available);
  const field = form.elements.other;
  const part = (name) => form.querySelector(`[data-typed="${name}"]`);
  const [charged, afterwards, button] = [part("charged"), part("afterwards"), part("button")];
  const unknown = [charged.textContent, afterwards.textContent];
  const show = () => {
    const amount = read(field.value, money);
    const known = amount !== null && amount > 0n;
    charged.textContent = known ? write(amount, money) : unknown[0];
    afterwards.textContent = known ? write(available + amount, money) : unknown[1];
    button.textContent = known ? button.dataset.add.replace("#", write(amount, money)) : button.dataset.review;
    form.elements.reviewed.value = known ? plain(amount) : "";
  };
  field.addEventListener("input", show);
  if (field.value) show();
}

// What the page said of a charge holds for the values that it said it of.
function recharge(form) {
  form.addEventListener("input", () => {
    form.elements.agreed.value = "";
    const note = form.querySelector("[data-charge-note]");
    note.querySelectorAll("p").forEach((text) => { text.hidden = !("changed" in text.dataset); });
    const button = form.querySelector("[data-say]");
    button.textContent = button.dataset.say;
  });
}

// The theme changes at once; the server is told for the next page.
function theme(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = event.submitter.value;
    if (chosen === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button === event.submitter));
    const sent = new URLSearchParams(new FormData(form, event.submitter));
    fetch(form.action, { method: "POST", body: sent, redirect: "manual" });
  });
}

function copy(code) {
  if (!navigator.clipboard) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.textContent = code.dataset.copyLabel;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = code.dataset.copiedLabel;
    setTimeout(() => { button.textContent = code.dataset.copyLabel; }, 2000);
  });
  code.after(" ", button);
}
