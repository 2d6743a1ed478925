// Sorts and filters the tables of a report. The page is complete without it.
"use strict";
(() => {
  const LEAST = 8; // Rows from which a table is filtered.
  const shown = cell => cell.textContent.trim();
  // The figure that a cell begins with; words have none.
  const figure = cell => {
    const found = shown(cell).replace(/\u2212/g, "-").match(/^[+-]?\d+(\.\d+)?/);
    return found ? Number(found[0]) : NaN;
  };
  const compare = (at, numbers) => (a, b) => {
    const [x, y] = [a.cells[at], b.cells[at]];
    if (!numbers) return shown(x).localeCompare(shown(y), "en", { numeric: true });
    const [p, q] = [figure(x), figure(y)];
    // What has no figure goes to the end.
    if (isNaN(p) || isNaN(q)) return isNaN(p) - isNaN(q);
    return p - q;
  };
  const sort = (table, head) => {
    const body = table.tBodies[0];
    const rising = head.getAttribute("aria-sort") !== "ascending";
    const order = compare(head.cellIndex, head.classList.contains("number"));
    const rows = [...body.rows].sort(rising ? order : (a, b) => order(b, a));
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    body.append(...rows);
  };
  const sortable = (table, head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.title = "sort";
    button.addEventListener("click", () => sort(table, head));
    head.append(button);
  };
  const filtered = table => {
    const field = document.createElement("input");
    field.type = "search";
    field.placeholder = "filter rows";
    field.setAttribute("aria-label", "filter the rows of the table below");
    field.className = "filter";
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/);
      for (const row of table.tBodies[0].rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every(word => text.includes(word));
      }
    });
    table.parentNode.before(field);
  };
  for (const table of document.querySelectorAll("table.data")) {
    if (table.tBodies[0].rows.length < 2) continue;
    for (const head of [...table.tHead.rows[0].cells]) sortable(table, head);
    if (table.tBodies[0].rows.length >= LEAST) filtered(table);
  }
})();
