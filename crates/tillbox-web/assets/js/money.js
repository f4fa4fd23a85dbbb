// Amounts as they are typed and written: the same rules as on the server, which decides in any case.
// Money is counted in whole micro-units (BigInt), never in fractions.

const MICROS = 1_000_000n;

// What was typed, in micro-units; null where it can't be read for sure.
export function read(typed, form) {
  let text = typed.replace(/[\s']/g, "");
  for (const name of [form.symbol, form.code, "$"]) {
    if (text.startsWith(name)) text = text.slice(name.length);
    if (text.endsWith(name)) text = text.slice(0, -name.length);
  }
  const place = Math.max(text.lastIndexOf("."), text.lastIndexOf(","));
  let whole = text;
  let fraction = "";
  if (place >= 0) {
    const mark = text[place];
    const other = mark === "." ? "," : ".";
    const before = text.slice(0, place);
    const behind = text.slice(place + 1);
    if (before.includes(mark)) {
      if (before.includes(other) || !isGrouped(text, mark)) return null;
      whole = text.replaceAll(mark, "");
    } else if (before.includes(other)) {
      if (!isGrouped(before, other)) return null;
      [whole, fraction] = [before.replaceAll(other, ""), behind];
    } else if (behind.length === 3 && /^[1-9]\d{0,2}$/.test(before)) {
      if (mark === form.thousands) whole = before + behind;
      else if (form.digits < 3) return null;
      else [whole, fraction] = [before, behind];
    } else {
      [whole, fraction] = [before, behind];
    }
  }
  if (!/^\d{0,13}$/.test(whole) || !/^\d{0,6}$/.test(fraction) || whole + fraction === "") return null;
  return BigInt(whole || "0") * MICROS + BigInt(fraction.padEnd(6, "0"));
}

function isGrouped(text, mark) {
  const [first, ...rest] = text.split(mark);
  return /^\d{1,3}$/.test(first) && rest.every((group) => /^\d{3}$/.test(group));
}

// An amount in the form of the page.
export function write(micros, form) {
  const size = micros < 0n ? -micros : micros;
  const whole = (size / MICROS).toString().replace(/\B(?=(\d{3})+$)/g, form.thousands);
  let fraction = (size % MICROS).toString().padStart(6, "0");
  while (fraction.length > form.digits && fraction.endsWith("0")) fraction = fraction.slice(0, -1);
  const number = fraction ? whole + form.decimal + fraction : whole;
  const space = form.first && !/^\p{L}+$/u.test(form.symbol) ? "" : "\u00a0";
  return (micros < 0n ? "−" : "") + (form.first ? form.symbol + space + number : number + space + form.symbol);
}

// The same in the plain form of the server.
export function plain(micros) {
  return `${micros / MICROS}.${(micros % MICROS).toString().padStart(6, "0")}`;
}
