// What was read of one file: its pages with their seals, and the tables beside them.

import { button, make, tag } from "./elements.js";
import { lineLabel, outlines } from "./outlines.js";
import { blobOf, canCopyPictures, copyPicture, copyText, drawWhenNear, save, sizeOf } from "./pictures.js";
import { doubtOfLine } from "./scores.js";
import { sealCard } from "./table.js";
import { say } from "./words.js";

let readings = 0;

// One page of the answer, its pictures as files.
async function opened(entry, size, index) {
  const pictures = entry.outputImages ?? {};
  const marked = pictures.layout_det_res ?? pictures.seal_res_region1 ?? null;
  const picture = entry.inputImage ? blobOf(entry.inputImage) : null;
  const known = size.width !== undefined ? size : picture !== null ? await sizeOf(picture) : { width: 1000, height: 1414 };
  const { seals = [], doubtful_places: doubtful = [] } = entry.prunedResult ?? {};
  return { index, failure: entry.errorMsg ?? "", seals, doubtful, picture, marked: marked === null ? null : blobOf(marked), size: known };
}

function withoutPictures(result) {
  return { ...result, sealRecResults: result.sealRecResults.map(({ prunedResult, errorMsg }) => ({ prunedResult, errorMsg })) };
}

// The number of a seal, on the corner of its box.
function badge({ region_id, bbox }, { width, height }) {
  const mark = make("span", { className: "badge", ariaHidden: "true" }, String(region_id));
  mark.style.left = `${(100 * bbox[0]) / width}%`;
  mark.style.top = `${(100 * bbox[1]) / height}%`;
  return mark;
}

export class Reading {
  // actions: tell(text) announces, remove() was asked for, asOne() reads the file again as a single seal.
  constructor(name, actions) {
    this.name = name;
    this.stem = name.replace(/\.[^.]*$/, "");
    this.actions = actions;
    this.number = readings++;
    this.pages = [];
    this.result = { sealRecResults: [], dataInfo: {} };
    this.element = make("article", { className: "reading", tabIndex: -1 });
    this.element.setAttribute("aria-labelledby", `reading-${this.number}`);
    this.parts = { head: make("div"), pages: make("div", { className: "pages" }), foot: make("div", { className: "foot" }) };
    this.element.append(...Object.values(this.parts));
    this.link();
  }

  // Takes the answer so far and shows what is new in it.
  async take(result) {
    this.result = result;
    for (let index = this.pages.length; index < result.sealRecResults.length; index++) {
      const { pages, width, height } = result.dataInfo;
      const size = pages === undefined ? { width, height } : pages[index];
      this.pages.push(await opened(result.sealRecResults[index], size, index));
    }
    this.showNews();
  }

  get lines() {
    return this.pages.flatMap((page) => page.seals.flatMap((seal) => seal.lines));
  }

  // Of the pages that are read in all, some of which may still be awaited.
  get expected() {
    return this.result.dataInfo.numPages ?? this.pages.length;
  }

  counts() {
    const seals = this.pages.reduce((sum, page) => sum + page.seals.length, 0);
    const unsure = this.lines.filter((line) => doubtOfLine(line) !== "").length;
    const [p, s, l] = [["pages", this.pages.length], ["seals", seals], ["lines", this.lines.length]].map(([word, n]) => say(word, { n }));
    return { summary: say("summary", { pages: p, seals: s, lines: l }), unsure: unsure === 0 ? "" : say("summary-unsure", { n: unsure }) };
  }

  // All of it, in the language that is spoken now.
  show() {
    this.parts.pages.replaceChildren();
    this.showNews();
  }

  // The pages that are not shown yet; those that are stay as they are.
  showNews() {
    const { head, pages, foot } = this.parts;
    head.replaceChildren(this.head(), ...this.missing());
    pages.append(...this.pages.slice(pages.childElementCount).map((page) => this.page(page)));
    const legend = this.lines.length === 0 ? [] : [make("p", { className: "fine" }, say("legend"))];
    foot.replaceChildren(...legend, this.raw());
  }

  head() {
    const { summary, unsure } = this.counts();
    const said = make("p", { className: "summary" }, summary, unsure === "" ? null : tag(unsure, "unsure"));
    const title = make("div", {}, make("h2", { id: `reading-${this.number}` }, this.name), said);
    const remove = button("×", () => this.actions.remove(), "quiet remove");
    remove.setAttribute("aria-label", say("remove", { name: this.name }));
    const tools = make(
      "div",
      { className: "tools" },
      button(say("copy-text"), () => this.copied(copyText(this.text()))),
      button(say("copy-json"), () => this.copied(copyText(this.json()))),
      button(say("save-json"), () => save(new Blob([this.json()], { type: "application/json" }), `${this.stem}_res.json`)),
      remove,
    );
    return make("header", {}, title, tools);
  }

  missing() {
    const { numPages, totalPages } = this.result.dataInfo;
    if (totalPages === undefined || totalPages <= numPages) return [];
    return [make("p", { className: "note" }, say("pages-left", { n: numPages, all: totalPages }))];
  }

  page(page) {
    const ids = page.seals.map((seal, s) => seal.lines.map((_, l) => `${this.number}-${page.index}-${s}-${l}`));
    const title = make("h3", { className: this.expected > 1 ? "" : "unseen" }, say("page-of", { n: page.index + 1, all: this.expected }));
    return make("section", { className: "page" }, title, ...this.contents(page, ids));
  }

  contents(page, ids) {
    if (page.failure !== "") return [make("p", { className: "trouble" }, `${say("error-page")} ${page.failure}`)];
    const cards = page.seals.map((seal, s) => sealCard(seal, ids[s], page));
    const { length: n } = page.doubtful;
    const doubt = n === 0 ? [] : [make("p", { className: "note" }, say("doubtful-places", { n }))];
    return [this.figure(page, ids), make("div", { className: "seals" }, ...(cards.length === 0 ? [this.nothing()] : cards), ...doubt)];
  }

  nothing() {
    const part = make("div", { className: "note" }, make("p", {}, say("no-seals")));
    if (this.expected === 1) part.append(button(say("as-one"), () => this.actions.asOne(), "button plain"));
    return part;
  }

  figure(page, ids) {
    const whole = [0, 0, page.size.width, page.size.height];
    const canvas = make("canvas", { role: "img", ariaLabel: say("picture-label", { n: page.index + 1 }) });
    if (page.picture !== null) drawWhenNear(canvas, page.picture, page.size, whole);
    const over = outlines(page.seals.map((seal, s) => ({ seal, ids: ids[s] })), whole, { boxes: true, named: true, doubtful: page.doubtful });
    over.setAttribute("role", "group");
    over.setAttribute("aria-label", say("outlines-label", { n: page.index + 1 }));
    const sheet = make("div", { className: "sheet" }, canvas, over, ...page.seals.map((seal) => badge(seal, page.size)), make("div", { className: "tip", hidden: true, ariaHidden: "true" }));
    sheet.style.aspectRatio = `${page.size.width} / ${page.size.height}`;
    const figure = make("figure", {}, sheet);
    figure.style.setProperty("--aspect", page.size.width / page.size.height);
    if (page.marked !== null) figure.append(this.pictureTools(page));
    return figure;
  }

  pictureTools({ marked, index }) {
    const name = this.expected > 1 ? `${this.stem}_${index}.jpg` : `${this.stem}.jpg`;
    const tools = make("figcaption", { className: "tools" });
    if (canCopyPictures()) tools.append(button(say("copy-picture"), () => this.copied(copyPicture(marked))));
    tools.append(button(say("save-picture"), () => save(marked, name)));
    return tools;
  }

  raw() {
    const text = make("pre", { tabIndex: 0 });
    const details = make("details", { className: "raw" }, make("summary", {}, say("raw-json")), text);
    details.addEventListener("toggle", () => { text.textContent = details.open ? this.json() : ""; });
    return details;
  }

  json() {
    return JSON.stringify(withoutPictures(this.result), null, 2);
  }

  text() {
    return this.pages.flatMap((page) => page.seals.map((seal) => seal.lines.map((line) => line.text).join("\n"))).join("\n\n");
  }

  async copied(work) {
    try {
      await work;
      this.actions.tell(say("copied"));
    } catch {
      this.actions.tell(say("not-copied"));
    }
  }

  // Outlines on the page, outlines on the seal and rows of the table belong together by their line.
  link() {
    const lineOf = (event) => event.target.closest("[data-line]")?.dataset.line ?? null;
    const focused = () => (this.element.contains(document.activeElement) ? (document.activeElement.closest("[data-line]")?.dataset.line ?? null) : null);
    this.element.addEventListener("pointerover", (event) => this.light(lineOf(event) ?? focused()));
    this.element.addEventListener("pointerleave", () => this.light(focused()));
    this.element.addEventListener("focusin", (event) => this.light(lineOf(event)));
    this.element.addEventListener("focusout", () => this.light(null));
    this.element.addEventListener("click", (event) => this.follow(event.target.closest("[data-line]")));
    this.element.addEventListener("keydown", (event) => {
      const outline = event.target.closest("svg [data-line]");
      if (outline === null || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      this.follow(outline);
      this.element.querySelector(`button[data-line="${outline.dataset.line}"]`).focus();
    });
  }

  light(id) {
    for (const part of this.element.querySelectorAll(".lit")) part.classList.remove("lit");
    for (const tip of this.element.querySelectorAll(".tip")) tip.hidden = true;
    this.element.classList.toggle("some-lit", id !== null);
    if (id === null) return;
    for (const part of this.element.querySelectorAll(`[data-line="${id}"]`)) part.classList.add("lit");
    const [, index, s, l] = id.split("-").map(Number);
    this.label(this.pages[index], this.pages[index].seals[s].lines[l], id);
  }

  // The text of a line, over its outline on the page.
  label(page, line, id) {
    const tip = this.element.querySelector(`.sheet [data-line="${id}"]`).closest(".sheet").querySelector(".tip");
    tip.textContent = lineLabel(line);
    tip.hidden = false;
    const xs = line.polygon.map(([x]) => x);
    const ys = line.polygon.map(([, y]) => y);
    const middle = (Math.min(...xs) + Math.max(...xs)) / 2 / page.size.width;
    const half = Math.min(0.5, tip.offsetWidth / 2 / tip.parentElement.clientWidth);
    const above = (Math.min(...ys) / page.size.height) * tip.parentElement.clientHeight > tip.offsetHeight + 12;
    tip.classList.toggle("below", !above);
    tip.style.left = `${100 * Math.min(1 - half, Math.max(half, middle))}%`;
    tip.style.top = `${(100 * (above ? Math.min(...ys) : Math.max(...ys))) / page.size.height}%`;
  }

  // A click on one part brings the other into view.
  follow(part) {
    if (part === null) return;
    const id = part.dataset.line;
    const other = part.closest(".sheet") === null ? `.sheet [data-line="${id}"]` : `tr[data-line="${id}"]`;
    this.element.querySelector(other).scrollIntoView({ block: "nearest", inline: "nearest" });
    this.light(id);
  }
}
