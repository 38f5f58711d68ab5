// Seals over a picture of their page: boxes and curved outlines as SVG, in pixels of the page.

import { doubtOfCharacter, doubtOfLine, percent } from "./scores.js";
import { say } from "./words.js";

function svg(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

const listed = (points) => points.map(([x, y]) => `${x},${y}`).join(" ");

// About how far the characters of a line stand apart, which is how large they are.
function spacing(points) {
  const steps = points.slice(1).map(([x, y], i) => Math.hypot(x - points[i][0], y - points[i][1]));
  return steps.length === 0 ? 20 : steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)];
}

export function lineLabel(line) {
  const doubt = doubtOfLine(line);
  return say("line-label", {
    text: line.text === "" ? say("illegible") : line.text,
    role: say(line.role),
    score: percent(line.score),
    doubt: doubt === "" ? "" : say(doubt),
  });
}

function outline(line, id) {
  const group = svg("g", { class: `line ${line.role} ${doubtOfLine(line)}`, "data-line": id });
  group.append(svg("polygon", { points: listed(line.polygon) }));
  const radius = 0.5 * spacing(line.chars.map((character) => character.point));
  for (const character of line.chars) {
    const doubt = doubtOfCharacter(character);
    if (doubt !== "") group.append(svg("circle", { cx: character.point[0], cy: character.point[1], r: radius, class: doubt }));
  }
  return group;
}

// seals: [{seal, ids}] with one id for each line. The picture has names for its parts only if it is `named`.
export function outlines(seals, [x, y, width, height], { boxes, named, doubtful = [] }) {
  const picture = svg("svg", { viewBox: `${x} ${y} ${width} ${height}`, preserveAspectRatio: "none", class: "outlines", focusable: "false" });
  if (!named) picture.setAttribute("aria-hidden", "true");
  const box = ([x1, y1, x2, y2], name) => picture.append(svg("rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1, class: name }));
  for (const { bbox } of doubtful) box(bbox, "box doubtful");
  for (const { seal, ids } of seals) {
    if (boxes) box(seal.bbox, "box");
    seal.lines.forEach((line, i) => {
      const group = outline(line, ids[i]);
      if (named) {
        group.setAttribute("role", "button");
        group.setAttribute("aria-label", lineLabel(line));
      }
      picture.append(group);
    });
  }
  if (named) roam(picture);
  return picture;
}

// One stop for the tabulator; arrow keys move among the lines.
function roam(picture) {
  const lines = [...picture.querySelectorAll("[data-line]")];
  const only = (chosen) => lines.forEach((line) => line.setAttribute("tabindex", line === chosen ? "0" : "-1"));
  only(lines[0]);
  picture.addEventListener("focusin", (event) => only(event.target.closest("[data-line]")));
  picture.addEventListener("keydown", (event) => {
    const at = lines.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    lines[(to + lines.length) % lines.length].focus();
  });
}
