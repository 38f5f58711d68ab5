// Makes elements of the document, with texts set as texts and never as markup.

export function make(tag, { dataset = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, dataset);
  element.append(...children.filter((child) => child !== null));
  return element;
}

export const button = (text, onclick, className = "quiet") => make("button", { type: "button", className, onclick }, text);

export const tag = (text, doubt) => make("span", { className: `tag ${doubt}` }, text);
