// Requests to the service, and what its answers mean.

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

// A request whose sending can be watched, which fetch does not offer.
export function send(path, body, signal, onSent) {
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

export async function ask(path, method, signal) {
  let answer;
  try {
    answer = await fetch(new URL(path, document.baseURI), { method, headers: headers(), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError("error-network");
  }
  return { status: answer.status, text: await answer.text(), wait: answer.headers.get("Retry-After") };
}

export function opened({ status, text, wait }) {
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
  throw new ServiceError(kind, complaintOf(body), Number.isNaN(seconds) ? null : seconds);
}

// The service's sentence; for a refused field a list of such as JSON.
export function complaintOf(body) {
  const message = typeof body?.errorMsg === "string" ? body.errorMsg : "";
  try {
    const list = JSON.parse(message);
    return Array.isArray(list) ? list.map(({ loc, msg }) => `${loc}: ${msg}`).join("; ") : message;
  } catch {
    return message;
  }
}
