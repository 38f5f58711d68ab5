// Pictures from Base64 onto canvases. A canvas needs no address of its own, so the strictest content security policy holds.

export function blobOf(text, type = "image/jpeg") {
  return new Blob([Uint8Array.from(atob(text), (character) => character.charCodeAt(0))], { type });
}

const SPARE = 1.5; // for zooming in
const KEPT = 1000; // milliseconds that an opened picture stays: the page and its seals are drawn from one
const opened = new WeakMap();

function open(blob) {
  if (!opened.has(blob)) {
    const picture = createImageBitmap(blob);
    const forget = () => setTimeout(() => opened.delete(blob), KEPT);
    picture.then(forget, forget);
    opened.set(blob, picture);
  }
  return opened.get(blob);
}

// Draws the part `box` ([x, y, width, height] in pixels of the page) of a picture of the page, at most `longest` pixels long.
export async function draw(canvas, blob, page, box, longest) {
  const picture = await open(blob);
  const across = picture.width / page.width; // the service may have reduced the picture
  const down = picture.height / page.height;
  const [x, y, width, height] = box;
  const scale = Math.min(1, longest / Math.max(width * across, height * down));
  canvas.width = Math.max(1, Math.round(width * across * scale));
  canvas.height = Math.max(1, Math.round(height * down * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, x * across, y * down, width * across, height * down, 0, 0, canvas.width, canvas.height);
}

export async function sizeOf(blob) {
  const { width, height } = await open(blob);
  return { width, height };
}

// Calls draw() when the canvas comes near the screen and empties it when it is far, so that long files stay small in memory.
const near = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) drawings.get(target)?.();
      else target.width = target.height = 0;
    }
  },
  { rootMargin: "1500px" },
);
const drawings = new WeakMap();

export function drawWhenNear(canvas, blob, page, box) {
  // Browsers reduce a canvas roughly: it gets hardly more pixels than are shown.
  const longest = () => SPARE * devicePixelRatio * Math.max(canvas.clientWidth, canvas.clientHeight);
  drawings.set(canvas, () => draw(canvas, blob, page, box, longest()));
  near.observe(canvas);
}

// Clipboards take PNG only.
export async function asPng(blob) {
  const canvas = document.createElement("canvas");
  const size = await sizeOf(blob);
  await draw(canvas, blob, size, [0, 0, size.width, size.height], Infinity);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

export const canCopyPictures = () => Boolean(navigator.clipboard?.write) && typeof ClipboardItem !== "undefined";

export async function copyPicture(blob) {
  await navigator.clipboard.write([new ClipboardItem({ "image/png": asPng(blob) })]);
}

export async function copyText(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Without https browsers offer only the old way.
  const area = Object.assign(document.createElement("textarea"), { value: text, className: "unseen" });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("refused");
}

export function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
