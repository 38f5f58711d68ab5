// The page: takes files, shows progress, keeps the readings.

import { button, make } from "./elements.js";
import { ServiceError, useKey } from "./http.js";
import { Reading } from "./reading.js";
import { read } from "./service.js";
import { Settings } from "./settings.js";
import { onLanguage, say, startLanguages } from "./words.js";

const $ = (id) => document.getElementById(id);
const settings = new Settings($("form"), $("changed"));

const readings = new Set();
let waiting = []; // files that were given while another is read
let current = null; // {file, stop, step}
let last = null; // the file that was read last

function tell(text) {
  $("news").textContent = "";
  requestAnimationFrame(() => { $("news").textContent = text; });
}

// ---------------------------------------------------------------- reading

function add(files) {
  waiting.push(...files);
  if (current === null) next();
}

async function next() {
  const file = waiting.shift();
  if (file === undefined) return;
  if (!valid()) {
    waiting = [];
    return;
  }
  await readFile(file, settings.values());
  next();
}

function valid() {
  const wrong = settings.wrong();
  if (wrong === null) return true;
  $("settings").open = true;
  const group = wrong.closest(".more");
  if (group !== null) group.open = true;
  wrong.focus();
  fail(say("bad-number", { label: say(wrong.name) }));
  return false;
}

async function readFile(file, options) {
  const stop = new AbortController();
  current = { file, stop, step: ["step-open"] };
  last = file;
  $("again").hidden = false;
  $("trouble").hidden = true;
  $("key-form").hidden = true;
  showWork();
  const reading = new Reading(file.name, {
    tell,
    remove: () => remove(reading),
    asOne: () => readFile(file, { ...options, useLayoutDetection: false }),
  });
  const onPages = async (result) => {
    await reading.take(result);
    if (readings.has(reading)) return;
    readings.add(reading);
    $("readings").prepend(reading.element);
    document.body.classList.add("has-readings");
  };
  try {
    await onPages(await read(file, options, { signal: stop.signal, onStep, onPages }));
    const { summary, unsure } = reading.counts();
    tell(`${file.name}, ${summary}${unsure === "" ? "" : ` · ${unsure}`}`);
    reading.element.scrollIntoView({ block: "start" });
  } catch (error) {
    explain(error, file, options);
  } finally {
    current = null;
    showWork();
  }
}

function remove(reading) {
  reading.element.remove();
  readings.delete(reading);
  document.body.classList.toggle("has-readings", readings.size > 0);
  $("main").focus();
}

// ---------------------------------------------------------------- progress

function onStep(word, values = {}, share = null) {
  if (current === null) return;
  if (current.step[0] !== word) tell(say(word, values));
  current.step = [word, values, share];
  showWork();
}

function showWork() {
  $("work").hidden = current === null;
  document.body.setAttribute("aria-busy", String(current !== null));
  if (current === null) return;
  const [word, values, share] = current.step;
  $("work-title").textContent = say("reading", { name: current.file.name });
  $("step").textContent = say(word, values);
  if (share === null || share === undefined) $("bar").removeAttribute("value");
  else $("bar").value = share;
}

// ---------------------------------------------------------------- what goes wrong

function fail(text, detail = "", ...actions) {
  const parts = [make("p", {}, text), detail === "" ? null : make("p", { className: "detail" }, detail), ...actions];
  $("trouble").replaceChildren(...parts.filter((part) => part !== null));
  $("trouble").hidden = false;
}

function explain(error, file, options) {
  if (error.name === "AbortError") {
    tell(say("cancelled"));
    return;
  }
  const known = error instanceof ServiceError ? error : new ServiceError("error-answer");
  if (known !== error) console.error(error);
  const text = known.kind === "error-busy" && known.wait !== null ? say("error-busy-for", { n: known.wait }) : say(known.kind);
  const retry = ["error-busy", "error-network", "error-service"].includes(known.kind);
  fail(`${file.name}: ${text}`, known.detail, retry ? button(say("try-again"), () => readFile(file, options), "button plain") : null);
  $("key-form").hidden = known.kind !== "error-key";
  if (known.kind === "error-key") $("key").focus();
}

// ---------------------------------------------------------------- ways in

function takeInput(input) {
  input.addEventListener("change", () => {
    add([...input.files]);
    input.value = ""; // the same file may be chosen again
  });
}

function takeDrops() {
  let depth = 0;
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  const show = (step) => {
    depth = step === 0 ? 0 : depth + step;
    $("drop").classList.toggle("over", depth > 0);
  };
  addEventListener("dragenter", (event) => carriesFiles(event) && show(1));
  addEventListener("dragleave", (event) => carriesFiles(event) && show(-1));
  addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    show(0);
    if (!carriesFiles(event)) return;
    event.preventDefault();
    add([...event.dataTransfer.files]);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) add(files);
  });
}

async function takeSample(name) {
  const answer = await fetch(new URL(`page/samples/${name}`, document.baseURI)).catch(() => null);
  if (answer === null || !answer.ok) return fail(say("error-network"));
  return add([new File([await answer.blob()], name)]);
}

takeInput($("file"));
takeInput($("camera"));
takeDrops();
for (const sample of document.querySelectorAll("[data-sample]")) sample.addEventListener("click", () => takeSample(sample.dataset.sample));
$("cancel").addEventListener("click", () => current?.stop.abort());
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (last !== null) add([last]);
});
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey($("key").value.trim());
  if (last !== null) add([last]);
});
onLanguage(() => {
  showWork();
  for (const reading of readings) reading.show();
});
startLanguages($("language"));
