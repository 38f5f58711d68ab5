// Talks to the service: one file in, its pages out as they come.

export class ServiceError extends Error {
  // kind: the word for it (error-...); detail: the service's own sentence; wait: seconds until it is worth asking again.
  constructor(kind, detail = "", wait = null) {
    super(kind);
    Object.assign(this, { kind, detail, wait });
  }
}

const KINDS = { 401: "error-key", 403: "error-key", 413: "error-large", 429: "error-busy", 503: "error-busy" };

let key = "";
export const useKey = (value) => { key = value; };

const headers = () => ({ "Content-Type": "application/json", ...(key === "" ? {} : { Authorization: `Bearer ${key}` }) });

async function base64(file) {
  const address = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new ServiceError("error-file", reader.error.message));
    reader.readAsDataURL(file);
  });
  return address.slice(address.indexOf(",") + 1);
}

async function isPdf(file) {
  const head = new TextDecoder("latin1").decode(await file.slice(0, 1024).arrayBuffer());
  return head.includes("%PDF-");
}

// A request whose sending can be watched, which fetch does not offer.
function send(path, body, signal, onSent) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open("POST", new URL(path, document.baseURI));
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && onSent(event.loaded / event.total);
    request.onload = () => resolve({ status: request.status, text: request.responseText, wait: request.getResponseHeader("Retry-After") });
    request.onerror = () => reject(new ServiceError("error-network"));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    request.onloadend = () => signal.removeEventListener("abort", stop);
    signal.addEventListener("abort", stop);
    request.send(body);
  });
}

async function ask(path, method, signal) {
  let answer;
  try {
    answer = await fetch(new URL(path, document.baseURI), { method, headers: headers(), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError("error-network");
  }
  return { status: answer.status, text: await answer.text(), wait: answer.headers.get("Retry-After") };
}

function opened({ status, text, wait }) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    body = null; // a proxy in between answers in its own way
  }
  if (status >= 200 && status < 300) {
    if (body === null) throw new ServiceError("error-answer");
    return body;
  }
  const seconds = Number.parseInt(wait ?? "", 10);
  const kind = KINDS[status] ?? (status >= 500 ? "error-service" : "error-file");
  throw new ServiceError(kind, complaint(body), Number.isNaN(seconds) ? null : seconds);
}

// The service's sentence; for a refused field a list of such as JSON.
function complaint(body) {
  const message = typeof body?.errorMsg === "string" ? body.errorMsg : "";
  try {
    const list = JSON.parse(message);
    return Array.isArray(list) ? list.map(({ loc, msg }) => `${loc}: ${msg}`).join("; ") : message;
  } catch {
    return message;
  }
}

// Gives the `result` of the answer. onStep(word, values, share) tells how far it is.
export async function read(file, options, { signal, onStep }) {
  onStep("step-open");
  const pdf = await isPdf(file);
  const body = JSON.stringify({ file: await base64(file), fileType: pdf ? 0 : 1, visualize: true, ...options });
  onStep("step-send", {}, 0);
  const onSent = (share) => (share < 1 ? onStep("step-send", {}, share) : onStep("step-read"));
  return whole(opened(await send("seal-recognition", body, signal, onSent)).result);
}

function whole(result) {
  if (!Array.isArray(result?.sealRecResults)) throw new ServiceError("error-answer");
  return result;
}
