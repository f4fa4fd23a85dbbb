// The pages work without any of this. It only saves a look at the server, or a press of a key.
import { forms } from "./forms.js";
import { live } from "./live.js";

forms(document);
live(document.querySelector("[data-live]"));

// A page that comes back from the browser's memory shows old balances and used forms.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
