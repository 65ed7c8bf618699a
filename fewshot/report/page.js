"use strict";
// Sorts tables and highlights what belongs together. The report is complete without it. It never runs text of a row.

/** The sort key of a cell: a number, text, or null if it is empty. */
function key(row, column, numeric) {
  const cell = row.cells[column];
  if (!numeric) return cell.textContent.trim() || null;
  return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
}

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

/** Turns the headings of a table into buttons: best or first on top, then reversed, then the first order. */
function makeSortable(table) {
  const body = table.tBodies[0];
  const first = Array.from(body.rows);
  const headings = Array.from(table.tHead.rows[0].cells);
  headings.forEach((heading, column) => {
    const numeric = heading.classList.contains("number");
    const turns = numeric ? ["descending", "ascending", null] : ["ascending", "descending", null];
    const button = document.createElement("button");
    button.type = "button";
    button.title = "sort";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const direction = turns[(turns.indexOf(heading.getAttribute("aria-sort")) + 1) % turns.length];
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      if (direction) heading.setAttribute("aria-sort", direction);
      table.classList.toggle("sorted", direction !== null);
      body.append(...(direction ? ordered(first, column, numeric, direction) : first));
    });
  });
}

/** On hover, a cell or a mark highlights its run in table and figures, and the names of its contender. */
function lightTogether(section) {
  const pieces = Array.from(section.querySelectorAll("[data-of]"));
  const light = (found) => {
    for (const piece of pieces) {
      const same = found !== null && piece.dataset.of === found.dataset.of;
      piece.classList.toggle("lit", same && (!piece.dataset.run || piece.dataset.run === found.dataset.run));
    }
  };
  section.addEventListener("pointerover", (event) => light(event.target.closest("[data-run]")));
  section.addEventListener("pointerleave", () => light(null));
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
document.querySelectorAll("main > section").forEach(lightTogether);
addEventListener("beforeprint", () => {
  document.querySelectorAll("details.printed").forEach((details) => (details.open = true));
});
