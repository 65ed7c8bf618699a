"use strict";
// Sorts, filters and highlights tables, and copies commands. The report is complete without it. It never runs text of
// a row.

/** The sort key of a cell: a number, text, or null if it is empty. */
function key(row, column, numeric) {
  const cell = row.cells[column];
  if (!numeric) return cell.textContent.trim() || null;
  return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
}

const atOnce = 200; // rows of a table before a button shows the others
const words = new Intl.Collator("en", { numeric: true });

/** Rows sorted by a column: empty cells last in both directions, equal ones in their first order. */
function ordered(rows, column, numeric, direction) {
  const sign = direction === "ascending" ? 1 : -1;
  return rows
    .map((row) => [key(row, column, numeric), row])
    .sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (numeric ? a - b : words.compare(a, b));
    })
    .map(([, row]) => row);
}

/** An element with a class and text. */
function element(name, style, text = "") {
  const made = document.createElement(name);
  made.className = style;
  made.textContent = text;
  return made;
}

/** Turns the headings of a table into buttons: numbers from high to low and words from a to z first, then reversed. */
function makeSortable(table) {
  const body = table.tBodies[0];
  const headings = Array.from(table.tHead.rows[0].cells);
  headings.forEach((heading, column) => {
    const numeric = heading.classList.contains("number");
    const turns = numeric ? ["descending", "ascending"] : ["ascending", "descending"];
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const direction = turns[(turns.indexOf(heading.getAttribute("aria-sort")) + 1) % turns.length];
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", direction);
      const rows = document.createDocumentFragment();
      for (const row of ordered(Array.from(body.rows), column, numeric, direction)) rows.append(row);
      body.append(rows);
      table.dispatchEvent(new Event("sorted"));
    });
  });
}

/** A text box above a table that hides the rows without all words typed, and says how many are left. Of more than
 * `atOnce` rows it shows the first ones in the present order, and a button for all. */
function makeFilterable(table) {
  const body = table.tBodies[0];
  const texts = new Map();
  const text = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };
  const label = element("label", "", "Filter rows ");
  const box = element("input", "");
  const count = element("output", "");
  const all = element("button", "copy every", "Show all");
  let most = atOnce;
  const update = () => {
    const wanted = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of body.rows) row.hidden = !wanted.every((word) => text(row).includes(word)) || ++left > most;
    const total = body.rows.length;
    const shown = left > most ? `, the first ${most} shown` : "";
    count.textContent = (left === total ? `${total} rows` : `${left} of ${total} rows`) + shown;
    all.hidden = left <= most;
  };
  all.type = "button";
  all.addEventListener("click", () => {
    most = Infinity;
    update();
  });
  box.type = "search";
  box.addEventListener("input", update);
  table.addEventListener("sorted", update);
  label.append(box);
  const tools = element("p", "tools");
  tools.append(label, count, all, element("span", "hint", "Select a heading to sort."));
  table.closest(".scroll").before(tools);
  update();
}

/** On hover, a cell or a mark highlights its run in table and figures, and the names of its contender. */
function lightTogether(section) {
  const groups = new Map();
  for (const piece of section.querySelectorAll("[data-of]")) {
    const group = groups.get(piece.dataset.of) || [];
    group.push(piece);
    groups.set(piece.dataset.of, group);
  }
  let lit = [];
  const light = (found) => {
    for (const piece of lit) piece.classList.remove("lit");
    const group = found === null ? [] : groups.get(found.dataset.of);
    lit = group.filter((piece) => !piece.dataset.run || piece.dataset.run === found.dataset.run);
    for (const piece of lit) piece.classList.add("lit");
  };
  section.addEventListener("pointerover", (event) => light(event.target.closest("[data-run]")));
  section.addEventListener("pointerleave", () => light(null));
}

/** A button that copies a command; where the browser refuses, it selects the command instead. */
function makeCopyable(command) {
  const button = element("button", "copy", "Copy");
  button.type = "button";
  command.after(button);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(command);
      button.textContent = "Selected";
    }
  });
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
document.querySelectorAll("table.filterable").forEach(makeFilterable);
document.querySelectorAll("main section").forEach(lightTogether);
document.querySelectorAll("pre.command").forEach(makeCopyable);
addEventListener("beforeprint", () => {
  document.querySelectorAll("details.printed").forEach((details) => (details.open = true));
  document.querySelectorAll("button.every").forEach((button) => button.click());
});
