// One file in, its pages out as they come.

import { ServiceError, opened, send } from "./http.js";
import { follow } from "./jobs.js";

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

// Gives the `result` of the answer. onStep(word, values, share) tells how far it is; onPages(result) what there is so far.
export async function read(file, options, { signal, onStep, onPages }) {
  onStep("step-open");
  const pdf = await isPdf(file);
  const body = JSON.stringify({ file: await base64(file), fileType: pdf ? 0 : 1, visualize: true, ...options });
  onStep("step-send", {}, 0);
  const onSent = (share) => (share < 1 ? onStep("step-send", {}, share) : onStep("step-read"));
  if (pdf) {
    const answer = await send("jobs", body, signal, onSent);
    if (answer.status !== 404 && answer.status !== 405) return follow(opened(answer), { signal, onStep, onPages });
  }
  // A picture, or a service without jobs.
  const { result } = opened(await send("seal-recognition", body, signal, onSent));
  if (!Array.isArray(result?.sealRecResults)) throw new ServiceError("error-answer");
  return result;
}
