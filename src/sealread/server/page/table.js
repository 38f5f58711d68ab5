// A seal enlarged beside the table of its lines.

import { make, tag } from "./elements.js";
import { outlines } from "./outlines.js";
import { drawWhenNear } from "./pictures.js";
import { doubtOfCharacter, doubtOfLine, doubtOfSeal, doubtfulCharacters, percent } from "./scores.js";
import { say } from "./words.js";

const MARGIN = 0.08; // around a seal, of its longer side

// The seal and a little around it: [x, y, width, height] within the page.
function surroundings([x1, y1, x2, y2], page) {
  const margin = MARGIN * Math.max(x2 - x1, y2 - y1);
  const left = Math.max(0, x1 - margin);
  const top = Math.max(0, y1 - margin);
  return [left, top, Math.min(page.width, x2 + margin) - left, Math.min(page.height, y2 + margin) - top];
}

function turn(rotation) {
  const n = Math.round(Math.abs(rotation));
  return n === 0 ? say("upright") : say(rotation > 0 ? "clockwise" : "counter", { n });
}

function characters(line) {
  const scored = line.chars.length === 0 ? Array.from(line.text, (text) => ({ text, score: 1 })) : line.chars;
  return scored.map((character) => {
    const doubt = doubtOfCharacter(character);
    return doubt === "" ? character.text : make("mark", { className: doubt, title: percent(character.score) }, character.text);
  });
}

// Its row, and where characters are doubtful a second one that lists them.
function lineRows(line, id) {
  const doubt = doubtOfLine(line);
  const text = line.text === "" ? [make("em", {}, say("illegible"))] : characters(line);
  const cell = make("td", {}, make("button", { type: "button", className: "text", dataset: { line: id } }, ...text));
  const score = make("td", { className: "score" }, make("span", {}, percent(line.score)), doubt === "" ? null : tag(say(doubt), doubt));
  const role = make("td", { className: "role" }, make("span", { className: `dot ${line.role}` }), say(line.role));
  const row = make("tr", { className: doubt, dataset: { line: id } }, cell, role, score);
  const list = doubtfulCharacters(line).map(({ text, score }) => `${text}\u00a0${percent(score)}`);
  if (list.length === 0) return [row];
  const doubts = make("td", { colSpan: 3 }, say("doubtful", { list: list.join(", ") }));
  return [row, make("tr", { className: "doubts", dataset: { line: id } }, doubts)];
}

function table(seal, ids, title) {
  const head = ["text", "role", "score"].map((name) => make("th", { scope: "col" }, say(name)));
  const rows = seal.lines.flatMap((line, i) => lineRows(line, ids[i]));
  const caption = make("caption", { className: "unseen" }, title);
  return make("table", {}, caption, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
}

// One seal; ids: one for each of its lines, shared with the outlines on the page.
export function sealCard(seal, ids, page) {
  const title = say("seal", { n: seal.region_id });
  const doubt = doubtOfSeal(seal);
  const facts = [say("found", { score: percent(seal.detection_score) })];
  if (seal.rotation !== null) facts.push(turn(seal.rotation));

  const box = surroundings(seal.bbox, page.size);
  const canvas = make("canvas", { ariaHidden: "true" });
  if (page.picture !== null) drawWhenNear(canvas, page.picture, page.size, box);
  const cut = make("div", { className: "cut" }, canvas, outlines([{ seal, ids }], box, { boxes: false, named: false }));
  cut.style.aspectRatio = `${box[2]} / ${box[3]}`;

  const heading = make("h4", {}, title, doubt === "" ? null : tag(say(`seal-${doubt}`), doubt));
  const lines = seal.lines.length === 0 ? make("p", { className: "fine" }, say("no-lines")) : table(seal, ids, title);
  const said = make("div", { className: "said" }, heading, make("p", { className: "fine facts" }, facts.join(" · ")), lines);
  return make("section", { className: "seal" }, cut, said);
}
