// The settings of the pipeline, as fields of the request. What is left alone is as the service is configured.

import { onLanguage, say } from "./words.js";

const unit = { min: 0, max: 1, step: 0.05 };

const FIELDS = [
  { name: "useDocOrientationClassify", choices: ["on", "off"] },
  { name: "useDocUnwarping", choices: ["on", "off"] },
  { name: "useLayoutDetection", choices: ["on", "off"], hint: true },
  { name: "layoutThreshold", ...unit },
  { name: "sealRecScoreThresh", ...unit },
];
const MORE = [
  { name: "layoutNms", choices: ["on", "off"] },
  { name: "layoutMergeBboxesMode", choices: ["large", "small", "union"] },
  { name: "layoutUnclipRatio", min: 0.1, max: 5, step: 0.1 },
  { name: "sealDetLimitSideLen", min: 32, max: 4000, step: 1 },
  { name: "sealDetLimitType", choices: ["min", "max", "resize_long"] },
  { name: "sealDetThresh", ...unit },
  { name: "sealDetBoxThresh", ...unit },
  { name: "sealDetUnclipRatio", min: 0, max: 5, step: 0.1 },
];

const SWITCHES = { on: true, off: false };

function made(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function control({ name, choices, min, max, step }) {
  if (choices === undefined) return made("input", { type: "number", id: name, name, min, max, step: "any", inputMode: "decimal" });
  const options = ["", ...choices].map((value) => {
    const option = made("option", { value });
    option.dataset.say = value === "" ? "configured" : value;
    return option;
  });
  return made("select", { id: name, name }, ...options);
}

function row(field) {
  const label = made("label", { htmlFor: field.name });
  label.dataset.say = field.name;
  const input = control(field);
  const parts = [label, input];
  if (field.hint) {
    const hint = made("small", { id: `${field.name}-hint` });
    hint.dataset.say = hint.id;
    input.setAttribute("aria-describedby", hint.id);
    parts.push(hint);
  }
  return made("p", { className: "field" }, ...parts);
}

export class Settings {
  constructor(form, changed) {
    this.form = form;
    form.querySelector("#fields").append(...FIELDS.map(row));
    form.querySelector("#fields-more").append(...MORE.map(row));
    const show = () => {
      const n = Object.keys(this.values()).length;
      changed.hidden = n === 0;
      changed.textContent = say("changed", { n });
      for (const input of form.querySelectorAll("input[type=number]")) input.placeholder = say("configured");
    };
    for (const event of ["input", "change"]) form.addEventListener(event, show);
    form.addEventListener("reset", () => setTimeout(show)); // the fields are emptied after this event
    onLanguage(show);
  }

  // The field that holds no value of its kind, or null.
  wrong() {
    return this.form.querySelector(":is(input, select):invalid");
  }

  values() {
    const values = {};
    for (const { name, choices } of [...FIELDS, ...MORE]) {
      const { value } = this.form.elements[name];
      if (value !== "") values[name] = choices === undefined ? Number(value) : (SWITCHES[value] ?? value);
    }
    return values;
  }
}
