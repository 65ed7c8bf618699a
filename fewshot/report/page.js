"use strict";
// Sorts, filters and highlights tables, and copies commands. The report is complete without it. It never runs text of
// a row.

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
      body.append(...ordered(Array.from(body.rows), column, numeric, direction));
    });
  });
}

/** A text box above a table that hides the rows without all words typed, and says how many are left. */
function makeFilterable(table) {
  const rows = Array.from(table.tBodies[0].rows);
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const label = element("label", "", "Filter rows ");
  const box = element("input", "");
  const count = element("output", "", `${rows.length} rows`);
  box.type = "search";
  label.append(box);
  const tools = element("p", "tools");
  tools.append(label, count, element("span", "hint", "Select a heading to sort."));
  table.closest(".scroll").before(tools);
  box.addEventListener("input", () => {
    const wanted = box.value.toLowerCase().split(/\s+/);
    rows.forEach((row, number) => (row.hidden = !wanted.every((word) => texts[number].includes(word))));
    const left = rows.filter((row) => !row.hidden).length;
    count.textContent = left === rows.length ? `${left} rows` : `${left} of ${rows.length} rows`;
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
});
